"""Where a box is drawn between two results, and after the last one."""

from typing import Any

import pytest
from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

SECOND = 1_000_000
BOXES_AT = """
async ([frames, captureUs]) => {
  const { boxesAt } = await import('/static/js/boxes-in-time.js');
  return boxesAt(frames, captureUs).map(({ box }) => box);
}
"""


def frame(at_s: float, left: float, *, track: int | None = 7) -> dict[str, Any]:
    box = {"label": "person", "track": track, "confidence": 0.9, "box": [left, 0.2, left + 0.1, 0.6]}
    return {"capture_us": round(at_s * SECOND), "boxes": [box]}


@pytest.mark.parametrize(
    ("frames", "at_s", "lefts"),
    [
        (
            [frame(1, 0.1), frame(2, 0.3)],
            1.5,
            [0.2],
        ),  # between two results: on the line from one to the other
        ([frame(1, 0.1), frame(1.5, 0.2), frame(2, 0.3)], 2.5, [0.4]),  # after the last: on at its pace
        ([frame(1, 0.1), frame(2, 0.3)], 0.5, []),  # before the first result
        ([frame(1, 0.1), frame(2, 0.3)], 3.5, []),  # too long after the last
        ([frame(1, 0.1)], 1.3, [0.1]),  # nobody knows its pace, and it is fresh
        ([frame(1, 0.1)], 1.7, []),  # nobody knows its pace, and it may be elsewhere by now
        (
            [frame(1, 0.1, track=None), frame(2, 0.3, track=None)],
            2.2,
            [0.3],
        ),  # not followed: where it was seen
        ([frame(1, 0.5), frame(1.5, 0.7), frame(2, 0.9)], 3.0, [1.0]),  # never outside the picture
    ],
)
def test_a_box_is_where_the_picture_is(
    browser_window: BrowserContext, frames: list[dict[str, Any]], at_s: float, lefts: list[float]
) -> None:
    page = browser_window.new_page()
    page.goto("/accounts/login/")

    boxes = page.evaluate(BOXES_AT, [frames, round(at_s * SECOND)])

    assert [box[0] for box in boxes] == pytest.approx(lefts)


PAINTED = """
async ([found, points]) => {
  const { Overlay } = await import('/static/js/overlay.js');
  const canvas = document.createElement('canvas');
  canvas.style.cssText = 'display: block; width: 200px; height: 100px';
  document.body.prepend(canvas);
  const overlay = new Overlay(canvas, { videoWidth: 200, videoHeight: 100, currentTime: 0 }, () => 1000000);
  overlay.add({ analytic_id: 'a', capture_us: 1000000, boxes: [found] });
  overlay.draw(0);
  const [x, y] = [canvas.width, canvas.height];
  const brush = canvas.getContext('2d');
  return points.map((point) => brush.getImageData(point[0] * x, point[1] * y, 1, 1).data[3] > 0);
}
"""


def test_outlines_and_sure_keypoints_are_drawn_where_they_are(browser_window: BrowserContext) -> None:
    found = {
        "label": "person", "track": 7, "confidence": 0.9, "box": [0.5, 0.3, 0.9, 0.9],
        "outline": [[0.6, 0.5], [0.8, 0.5], [0.8, 0.8], [0.6, 0.8]],
        "keypoints": [[0.7, 0.65, 0.9], [0.85, 0.4, 0.1]],
    }  # fmt: skip
    page = browser_window.new_page()
    page.goto("/accounts/login/")

    painted = page.evaluate(PAINTED, [found, [[0.7, 0.5], [0.7, 0.65], [0.85, 0.4], [0.65, 0.6]]])

    assert painted == [True, True, False, False]  # an edge, a keypoint, one that is not sure, and nothing
