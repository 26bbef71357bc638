"""Live video in a real browser: it moves, boxes lie on who is seen, and it comes back when it broke."""

import base64
import re
import time
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Page, WebSocket, expect

from omma_engine.sources.backdrop import draw_backdrop
from omma_engine.sources.pixel_code import HEIGHT_PX, WIDTH_PX
from tests.e2e.browsing import until
from tests.e2e.running import RunningOmma, camera_named

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

AMBER_BGR = (59, 169, 242)  # the colour of a person's box
WALK_PER_S = 0.1  # of the picture's width
VIDEOS = "[...document.querySelectorAll('.tile video')]"
VISIT_S = 100.0  # the drawn person comes every 40 s
# At one picture: the video as it is, the boxes as they are drawn, and where the picture lies in the tile.
GRAB = """
async () => {
  const tile = document.querySelector('.tile');
  const [video, boxes] = [tile.querySelector('video'), tile.querySelector('canvas')];
  return new Promise((resolve) => video.requestVideoFrameCallback(() => {
    const copy = Object.assign(document.createElement('canvas'),
      { width: video.videoWidth, height: video.videoHeight });
    copy.getContext('2d').drawImage(video, 0, 0);
    resolve({ picture: copy.toDataURL('image/png'), boxes: boxes.toDataURL('image/png'),
      capture_us: Number(boxes.dataset.captureUs), news: window.detections ?? [] });
  }));
}
"""
LISTEN = """
() => {
  window.detections = [];
  document.addEventListener('omma:detection', ({ detail }) => window.detections.push(detail));
}
"""
PERSON_NOW = """
() => window.detections.some(({ capture_us: at, boxes }) => at > Date.now() * 1000 - 1_000_000
  && boxes.some((box) => box.label === 'person'))
"""


def pixels_of(address: str) -> NDArray[np.uint8]:
    data = np.frombuffer(base64.b64decode(address.partition(",")[2]), dtype=np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert pixels is not None
    return pixels.astype(np.uint8, copy=False)


def person_in(picture: NDArray[np.uint8], scene: str, seed: int) -> tuple[int, int, int, int] | None:
    """Return where the picture differs from the empty place: x1, y1, x2, y2 in pixels."""
    height, width = picture.shape[:2]
    empty = draw_backdrop(scene, width, height, seed)
    changed = (cv2.absdiff(picture, empty).max(axis=2) > 40).astype(np.uint8)
    changed[: HEIGHT_PX + 8, : WIDTH_PX + 8] = 0
    changed[height - 30 :, width * 2 // 3 :] = 0  # the clock
    changed = cv2.morphologyEx(changed, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)).astype(np.uint8)
    ys, xs = np.nonzero(changed)
    if len(xs) < 400:
        return None
    return int(xs.min()), int(ys.min()), int(xs.max()), int(ys.max())


def drawn_box(canvas: NDArray[np.uint8]) -> tuple[int, int, int, int] | None:
    """Return the amber frame on the canvas: its lowest line says how wide it is, its sides how high."""
    near = np.abs(canvas.astype(int) - np.array(AMBER_BGR)).max(axis=2) < 30
    wide_rows = np.nonzero(near.sum(axis=1) > 15)[0]
    if not len(wide_rows):
        return None
    bottom = int(wide_rows.max())
    xs = np.nonzero(near[bottom])[0]
    left, right = int(xs.min()), int(xs.max())
    ys = np.nonzero(near[:, left : left + 3].any(axis=1))[0]
    return left, int(ys.min()), right, bottom


def on_the_picture(
    box: tuple[int, int, int, int], canvas: NDArray[np.uint8], picture: NDArray[np.uint8]
) -> tuple[float, ...]:
    """Return a box on the canvas in parts of the letterboxed picture under it."""
    height, width = picture.shape[:2]
    scale = min(canvas.shape[1] / width, canvas.shape[0] / height)
    left = (canvas.shape[1] - width * scale) / 2
    top = (canvas.shape[0] - height * scale) / 2
    x1, y1, x2, y2 = box
    return (
        (x1 - left) / scale / width, (y1 - top) / scale / height,
        (x2 - left) / scale / width, (y2 - top) / scale / height,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("camera", "scene", "seed"), [("Virtual yard", "yard", 0), ("Virtual room", "room", 1)]
)
def test_boxes_lie_on_the_person_who_walks(
    page: Page, omma: RunningOmma, camera: str, scene: str, seed: int
) -> None:
    with omma.client() as client:
        camera_id = camera_named(client, camera)["id"]
    page.goto(f"/app/cameras/{camera_id}/")
    page.evaluate(LISTEN)
    expect(page.locator(".tile .state")).to_have_text("live", timeout=20_000)

    hits, deadline = 0, time.monotonic() + VISIT_S
    while hits < 2 and time.monotonic() < deadline:
        until(page, PERSON_NOW, timeout_s=VISIT_S)
        page.wait_for_timeout(400)
        grabbed = page.evaluate(GRAB)
        picture, canvas = pixels_of(grabbed["picture"]), pixels_of(grabbed["boxes"])
        person, box = person_in(picture, scene, seed), drawn_box(canvas)
        if person is None or box is None or person[0] < 10 or person[2] > picture.shape[1] - 10:
            continue  # on the way in or out
        drawn = on_the_picture(box, canvas, picture)
        assert_near_the_message(drawn, grabbed)
        assert_on_the_person(drawn, person, picture, grabbed)
        hits += 1

    assert hits == 2


def assert_near_the_message(drawn: tuple[float, ...], grabbed: dict[str, Any]) -> None:
    """The drawn box is the one that a message of that time speaks of, moved on by no more than a walk."""
    said = [
        (abs(frame["capture_us"] - grabbed["capture_us"]) / 1e6, box["box"])
        for frame in grabbed["news"]
        for box in frame["boxes"]
        if box["label"] == "person"
    ]
    assert any(
        distance_s < 1.2
        and abs(drawn[0] - box[0]) < 0.02 + 0.25 * distance_s
        and abs(drawn[3] - box[3]) < 0.04
        for distance_s, box in said
    ), (drawn, min(said))


def assert_on_the_person(
    drawn: tuple[float, ...],
    person: tuple[int, int, int, int],
    picture: NDArray[np.uint8],
    grabbed: dict[str, Any],
) -> None:
    """It lies on the person in the very picture, and the less exactly the later the analysis came."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = (side / size for side, size in zip(person, (width, height) * 2, strict=True))
    known_us = [one["capture_us"] for one in grabbed["news"] if one["capture_us"] <= grabbed["capture_us"]]
    slack = 0.01 + WALK_PER_S * (grabbed["capture_us"] - max(known_us)) / 1e6
    assert drawn[0] - slack <= (x1 + x2) / 2 <= drawn[2] + slack, (drawn, person, slack)
    assert min(drawn[3], y2) - max(drawn[1], y1) > 0.6 * (y2 - y1)


def test_the_wall_shows_every_camera_moving(page: Page) -> None:
    page.goto("/app/")
    until(
        page,
        "() => [...document.querySelectorAll('.tile')].every((tile) => tile.querySelector('.state.live'))",
    )
    before = page.evaluate(
        "() => [...document.querySelectorAll('.tile video')].map((one) => one.currentTime)"
    )

    until(page, f"before => {VIDEOS}.every((one, at) => one.currentTime > before[at] + 1)", before)

    assert len(before) >= 2
    assert page.locator(".tile.is-stale").count() == 0


def test_pictures_take_the_place_of_video_where_the_browser_cannot_play_it(
    context: BrowserContext, omma: RunningOmma
) -> None:
    with omma.client() as client:
        camera_id = camera_named(client, "Virtual yard")["id"]
    page = context.new_page()
    page.add_init_script("delete window.MediaSource; delete window.ManagedMediaSource;")
    page.goto(f"/app/cameras/{camera_id}/")

    expect(page.locator(".tile .state")).to_have_text("live, as pictures", timeout=20_000)
    until(page, "() => document.querySelector('.still').naturalWidth > 0")
    first = page.locator(".tile .still").screenshot()
    page.wait_for_timeout(1200)  # the clock in the picture goes on
    assert page.locator(".tile .still").screenshot() != first
    expect(page.locator(".note")).to_contain_text("cannot play avc1")


def test_a_hidden_tab_stops_its_video_and_takes_it_up_again(page: Page) -> None:
    sockets: list[WebSocket] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.goto("/app/")
    until(page, "() => document.querySelector('.tile .state.live')")

    hide = """(isHidden) => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    page.wait_for_timeout(500)
    live = [socket for socket in sockets if "/ws/v1/live/" in socket.url]
    assert live
    assert all(socket.is_closed() for socket in live)
    page.evaluate(hide, False)

    until(page, "() => document.querySelector('.tile .state.live')")


def test_a_snapshot_is_a_whole_picture(page: Page) -> None:
    page.goto("/app/")
    page.locator(".tile").first.hover()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Save a snapshot").first.click()

    pixels = cv2.imread(str(waiting.value.path()))
    assert pixels is not None
    assert pixels.shape[1] >= 960


def test_recording_starts_and_stops_on_the_tile(page: Page, omma: RunningOmma) -> None:
    with omma.client() as client:
        camera_id = camera_named(client, "Virtual room")["id"]
    page.goto(f"/app/cameras/{camera_id}/")
    tile = page.locator(".tile")
    tile.hover()
    tile.get_by_role("button", name="Record now").click()
    expect(tile.locator(".mark")).to_be_visible(timeout=10_000)
    tile.hover()
    tile.get_by_role("button", name="Stop recording").click()

    page.wait_for_url("**/app/recordings/*/")
    expect(page.get_by_role("button", name="Stop recording")).to_have_count(0)


def test_pages_come_back_after_the_web_process_has_restarted(page: Page, omma: RunningOmma) -> None:
    page.goto("/app/")
    until(page, "() => document.querySelector('.tile .state.live')")
    web = next(
        child
        for child in psutil.Process(omma.process.pid).children(recursive=True)
        if "omma.web" in " ".join(child.cmdline())
    )

    web.kill()
    expect(page.locator(".tile .state").first).to_have_text(
        re.compile(r"reconnecting in \d+ s"), timeout=8_000
    )

    until(
        page,
        "() => [...document.querySelectorAll('.tile')].every((tile) => tile.querySelector('.state.live'))",
        timeout_s=45,
    )
