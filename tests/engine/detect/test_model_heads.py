"""Every head that is known, with outputs whose meaning is known, in a picture twice the input's size."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from omma_engine.detect.base import Detections
from omma_engine.detect.fitting import Fit, Tone, place
from omma_engine.detect.heads import Head
from omma_engine.detect.onnx_detector import OnnxDetector
from omma_engine.detect.settings import OnnxSettings
from omma_engine.detect.spec import ModelTask
from tests.engine.detect.said_onnx import saying

NAMES = {"names": "{0: 'cat', 1: 'dog'}"}
PICTURE = np.full((128, 128, 3), 90, dtype=np.uint8)  # factor 0.5 into 64 pixels
CELLS = 64 + 16 + 4  # of 64 pixels at strides 8, 16 and 32
Floats = np.ndarray


def detect(content: bytes, picture: np.ndarray = PICTURE, **options: object) -> Detections:
    (found,) = OnnxDetector(content, OnnxSettings(score_floor=0.2), **options).detect([picture], at_us=[0])  # type: ignore[arg-type]
    return found


def summary(found: Detections) -> list[tuple[str, float, list[float]]]:
    """Return label, score and box of each, best first."""
    rows = zip(found.labels, found.scores, found.boxes_xyxy, strict=True)
    return [
        (label, round(float(score), 2), [round(float(side), 1) for side in box])
        for label, score, box in sorted(rows, key=lambda row: -row[1])
    ]


def rows_of(count: int, columns: int, rows: dict[int, list[float]]) -> Floats:
    table = np.zeros((count, columns), dtype=np.float32)
    for index, row in rows.items():
        table[index] = row
    return table


# A cat at 10-30 x 20-40 and a dog at 40-60 x 8-24 of the input; a second cat over the first is suppressed.
CAT, DOG = [20, 30, 20, 20], [50, 16, 20, 16]
EXPECTED = [("dog", 0.9, [80.0, 16.0, 120.0, 48.0]), ("cat", 0.8, [20.0, 40.0, 60.0, 80.0])]


def ultralytics() -> Floats:
    rows = {3: [*CAT, 0.8, 0.1], 4: [20, 31, 20, 20, 0.7, 0.1], 9: [*DOG, 0.1, 0.9]}
    return rows_of(CELLS, 6, rows).T


def yolov5() -> Floats:
    rows = {3: [*CAT, 0.8, 1.0, 0.0], 4: [20, 31, 20, 20, 0.7, 1.0, 0.0], 99: [*DOG, 1.0, 0.0, 0.9]}
    return rows_of(3 * CELLS, 7, rows)


def yolox() -> Floats:
    log = np.log
    cat = [20 / 8 - 2, 30 / 8 - 3, log(20 / 8), log(20 / 8), 0.8, 1.0, 0.0]  # cell 2, 3 at stride 8
    dog = [50 / 16 - 3, 16 / 16 - 1, log(20 / 16), log(16 / 16), 0.9, 0.0, 1.0]  # cell 3, 1 at stride 16
    return rows_of(CELLS, 7, {3 * 8 + 2: cat, 64 + 1 * 4 + 3: dog})


def end_to_end() -> Floats:
    return rows_of(300, 6, {0: [40, 8, 60, 24, 0.9, 1], 1: [10, 20, 30, 40, 0.8, 0]})


def in_parts(box: Sequence[float]) -> list[float]:
    return [side / 64 for side in box]


def rt_detr() -> Floats:
    return rows_of(30, 6, {5: [*in_parts(CAT), 0.8, 0.0], 6: [*in_parts(DOG), 0.0, 0.9]})


def rt_detr_chosen() -> Floats:
    return rows_of(30, 6, {0: [*in_parts(DOG), 0.9, 1], 1: [*in_parts(CAT), 0.8, 0]})


@pytest.mark.parametrize(
    ("head", "output", "metadata"),
    [
        (Head.ULTRALYTICS, ultralytics, {**NAMES, "task": "detect"}),
        (Head.ULTRALYTICS, ultralytics, NAMES),
        (Head.YOLOV5, yolov5, NAMES),
        (Head.YOLOX, yolox, NAMES),
        (Head.END_TO_END, end_to_end, {**NAMES, "end2end": "True", "task": "detect"}),
        (Head.END_TO_END, end_to_end, {**NAMES, "args": "{'batch': 1, 'nms': True}"}),
        (Head.END_TO_END, end_to_end, NAMES),
        (Head.RT_DETR, rt_detr, {**NAMES, "description": "Ultralytics rtdetr-l model"}),
        (Head.RT_DETR_CHOSEN, rt_detr_chosen, {"head": "RTDETRDecoder", "names": "['cat', 'dog']"}),
    ],
)
def test_boxes_of_every_detection_head(
    head: Head, output: Callable[[], Floats], metadata: dict[str, str]
) -> None:
    content = saying({"output0": output()}, metadata)

    layout = OnnxDetector(content).layout

    assert (layout.task, layout.head, layout.labels) == (ModelTask.DETECT, head, ("cat", "dog"))
    assert summary(detect(content)) == EXPECTED


@pytest.mark.parametrize("has_nothing", [True, False])
def test_boxes_of_detr(has_nothing: bool) -> None:
    large, classes = 40.0, 3 if has_nothing else 2
    logits = np.full((10, classes), -large, dtype=np.float32)
    logits[:, -1] = large if has_nothing else -large
    odds = np.log(0.9 / 0.1)
    logits[4] = [-large, odds, 0.0] if has_nothing else [-large, odds]
    boxes = rows_of(10, 4, {4: in_parts(DOG)})
    content = saying({"logits": logits, "pred_boxes": boxes}, NAMES)

    assert OnnxDetector(content).layout.head == (Head.DETR if has_nothing else Head.DETR_SIGMOID)
    assert summary(detect(content)) == [EXPECTED[0]]


def test_a_detr_picture_is_stretched_and_its_boxes_are_stretched_back() -> None:
    logits = np.array([[-40.0, 40.0]], dtype=np.float32)
    content = saying({"logits": logits, "pred_boxes": np.array([[0.5, 0.5, 0.5, 0.5]])}, NAMES)

    found = detect(content, np.zeros((100, 400, 3), dtype=np.uint8))

    assert found.boxes_xyxy.tolist() == [[100, 25, 300, 75]]


def test_classes_come_best_first_with_the_whole_picture_for_a_box() -> None:
    content = saying({"output0": np.array([0.3, 0.7])}, {**NAMES, "task": "classify"})

    assert summary(detect(content)) == [
        ("dog", 0.7, [0.0, 0.0, 128.0, 128.0]),
        ("cat", 0.3, [0.0, 0.0, 128.0, 128.0]),
    ]


def test_logits_of_classes_become_likelihoods() -> None:
    content = saying({"output0": np.log(np.array([0.25, 0.75])) + 7}, NAMES)

    found = detect(content)

    assert [round(float(score), 3) for score in found.scores] == [0.75, 0.25]


def test_a_mask_becomes_an_outline_inside_its_box() -> None:
    prototypes = np.full((32, 16, 16), -1.0, dtype=np.float32)
    prototypes[0, 4:12, 2:8] = 1.0  # input pixels 16-48 down, 8-32 across
    head = np.zeros((CELLS, 6 + 32), dtype=np.float32)
    head[7, :6] = [20, 30, 20, 20, 0.8, 0.1]
    head[7, 6] = 1.0
    content = saying({"output0": head.T, "output1": prototypes}, {**NAMES, "task": "segment"})

    found = detect(content)

    assert found.outlines is not None
    (outline,) = found.outlines
    assert found.labels == ("cat",)
    assert outline.min(axis=0).tolist() == [20, 40]  # the box cuts the mask's left and top
    assert outline.max(axis=0).tolist() == [58, 78]


@pytest.mark.parametrize("is_chosen", [False, True])
def test_keypoints_come_with_their_certainty(is_chosen: bool) -> None:
    points = [12, 22, 0.9, 28, 38, 0.5]
    metadata = {"names": "['person']", "task": "pose", "kpt_shape": "[2, 3]"}
    if is_chosen:
        output = rows_of(300, 12, {0: [10, 20, 30, 40, 0.8, 0, *points]})
        metadata["end2end"] = "True"
    else:
        output = rows_of(CELLS, 11, {5: [*CAT, 0.8, *points]}).T

    found = detect(saying({"output0": output}, metadata))

    assert summary(found) == [("person", 0.8, [20.0, 40.0, 60.0, 80.0])]
    assert found.keypoints is not None
    np.testing.assert_allclose(found.keypoints, [[[24, 44, 0.9], [56, 76, 0.5]]], atol=1e-5)


@pytest.mark.parametrize("is_chosen", [False, True])
def test_oriented_boxes_have_corners_and_an_upright_box_around_them(is_chosen: bool) -> None:
    quarter = np.pi / 4
    metadata = {**NAMES, "task": "obb"}
    if is_chosen:
        output = rows_of(300, 7, {0: [32, 32, 20, 10, 0.8, 1, quarter]})
        metadata["end2end"] = "True"
    else:
        rows = {5: [32, 32, 20, 10, 0.1, 0.8, quarter], 6: [33, 32, 20, 10, 0.1, 0.7, quarter]}
        output = rows_of(CELLS, 7, rows).T

    found = detect(saying({"output0": output}, metadata))

    assert found.labels == ("dog",)
    assert found.outlines is not None
    reach = 2 * (10 + 5) * np.cos(quarter)  # of the upright box, in pixels of the picture
    np.testing.assert_allclose(
        found.boxes_xyxy, [[64 - reach, 64 - reach, 64 + reach, 64 + reach]], atol=1e-3
    )
    sides = np.linalg.norm(np.diff(found.outlines[0], axis=0), axis=1)
    np.testing.assert_allclose(sorted(sides), [20, 20, 40], atol=1e-3)


def test_a_model_in_half_precision_runs() -> None:
    content = saying({"output0": ultralytics()}, NAMES, is_half=True)

    assert [label for label, _, _ in summary(detect(content))] == ["dog", "cat"]


@pytest.mark.parametrize(
    ("fit", "tone", "top_left", "bottom_right"),
    [
        (Fit.CENTRE, Tone.UNIT, [114 / 255] * 3, [114 / 255] * 3),
        (Fit.CORNER, Tone.RAW, [200, 100, 50], [114] * 3),
        (Fit.STRETCH, Tone.UNIT, [50 / 255, 100 / 255, 200 / 255], [50 / 255, 100 / 255, 200 / 255]),
        (Fit.CROP, Tone.IMAGENET, [-1.2617, -0.2850, 1.6814], [-1.2617, -0.2850, 1.6814]),
    ],
)
def test_a_wide_picture_is_put_into_the_input_as_the_head_wants_it(
    fit: Fit, tone: Tone, top_left: list[float], bottom_right: list[float]
) -> None:
    blue = np.zeros((32, 64, 3), dtype=np.uint8)
    blue[:] = (200, 100, 50)  # BGR
    target = np.zeros((3, 64, 64), dtype=np.float32)

    place(blue, into=target, fit=fit, tone=tone)

    np.testing.assert_allclose(target[:, 0, 0], top_left, rtol=1e-3)
    np.testing.assert_allclose(target[:, -1, -1], bottom_right, rtol=1e-3)
    assert target[0, 32, 32] != pytest.approx(114 / 255)


def test_points_come_back_from_every_way_of_fitting() -> None:
    wide = np.zeros((50, 100, 3), dtype=np.uint8)
    target = np.zeros((3, 64, 64), dtype=np.float32)
    middle = np.array([[32.0, 32.0]], dtype=np.float32)

    back = {
        fit: place(wide, into=target, fit=fit, tone=Tone.UNIT).points_in_picture(middle)[0].tolist()
        for fit in (Fit.CENTRE, Fit.STRETCH, Fit.CROP)
    }

    assert back == {Fit.CENTRE: [50, 25], Fit.STRETCH: [50, 25], Fit.CROP: [50, 25]}


def test_yolox_files_that_name_no_classes_get_numbers_or_the_given_names() -> None:
    content = saying({"output": yolox()}, {})

    assert OnnxDetector(content).labels == ("class 0", "class 1")
    assert OnnxDetector(content, labels=("cat", "dog")).labels == ("cat", "dog")
    assert summary(detect(content, labels=("cat", "dog"))) == EXPECTED


def test_numbers_that_are_none_are_left_out() -> None:
    output = ultralytics()
    output[0, 3] = np.nan
    output[4, 20] = np.inf

    assert summary(detect(saying({"output0": output}, NAMES)))[0] == EXPECTED[0]


def test_a_filtered_result_keeps_outlines_and_keypoints_beside_their_boxes() -> None:
    corners = tuple(np.full((4, 2), index, dtype=np.float32) for index in range(3))
    found = Detections(
        boxes_xyxy=np.zeros((3, 4), dtype=np.float32),
        scores=np.zeros(3, dtype=np.float32),
        labels=("a", "b", "c"),
        outlines=corners,
        keypoints=np.arange(9, dtype=np.float32).reshape(3, 1, 3),
    )

    kept = found.keep(np.array([True, False, True]))

    assert kept.labels == ("a", "c")
    assert kept.outlines is not None
    assert [outline[0, 0] for outline in kept.outlines] == [0, 2]
    assert kept.keypoints is not None
    assert kept.keypoints[:, 0, 0].tolist() == [0, 6]
