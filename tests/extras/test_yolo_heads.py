"""Real exports of Ultralytics' architectures find what Ultralytics itself finds in the same picture."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from omma_engine.detect.base import Detections
from omma_engine.detect.fitting import Fit, Tone, place
from omma_engine.detect.heads import Head
from omma_engine.detect.onnx_detector import OnnxDetector
from omma_engine.detect.settings import OnnxSettings

SIZE = 160
FLOOR, OVERLAP = 0.4, 0.5

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("_offline")]  # other people's


@pytest.fixture
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOLO_OFFLINE", "True")
    monkeypatch.setenv("YOLO_AUTOINSTALL", "False")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def picture() -> np.ndarray:
    """Return a wide picture with shapes and noise, so that every place gives other numbers."""
    chance = np.random.default_rng(7)
    coarse = chance.integers(0, 255, (9, 16, 3), dtype=np.uint8)
    canvas = np.asarray(cv2.resize(coarse, (320, 180), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    cv2.circle(canvas, (90, 80), 40, (0, 0, 255), -1)
    cv2.rectangle(canvas, (180, 40), (280, 120), (0, 255, 0), -1)
    return canvas


def architecture(name: str) -> Any:
    """Return an architecture with random weights, its layers' statistics made fit for its pictures."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(3)
    model = YOLO(f"{name}.yaml")
    tensor = torch.from_numpy(cv2.resize(picture(), (SIZE, SIZE))).permute(2, 0, 1)[None].float() / 255
    for layer in model.model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None  # the mean over all that is seen
    model.model.train()
    with torch.no_grad():
        for _ in range(3):
            model.model(tensor + 0.1 * torch.rand_like(tensor))
    return model


def best_score(model: Any) -> float:
    import torch

    prepared = np.zeros((3, SIZE, SIZE), dtype=np.float32)
    place(picture(), into=prepared, fit=Fit.CENTRE, tone=Tone.UNIT)
    tensor = torch.from_numpy(prepared)[None]
    with torch.no_grad():
        output = model.model.eval()(tensor)
    head = output[0][0] if isinstance(output[0], tuple | list) else output[0]
    if head.shape[-1] < 100:  # chosen by the model: box, score, class
        return float(head[0, :, 4].max())
    return float(head[0, 4 : 4 + len(model.names)].max())


def exported(name: str, folder: Path, **options: Any) -> Path:
    """Export an architecture whose weights are random but sure of themselves."""
    from ultralytics import YOLO

    model = architecture(name)
    head = model.model.model[-1]
    classes = [layer[-1] for branch in ("cv3", "one2one_cv3") for layer in getattr(head, branch, None) or ()]
    for layer in classes:
        layer.bias.data.fill_(-1.5)
    for branch in ("cv2", "one2one_cv2"):
        for layer in (getattr(head, branch, None) or ()) if getattr(head, "reg_max", 16) == 1 else ():
            layer[-1].weight.data *= 0.05
            layer[-1].bias.data.fill_(3.0)  # sides are given as they are: let them be positive
    while (best := best_score(model)) > 0.99:  # equal scores have no order
        for layer in classes:
            layer.weight.data *= 0.8
    assert best > FLOOR
    model.save(folder / f"{name}.pt")
    found = YOLO(folder / f"{name}.pt").export(
        format="onnx", imgsz=SIZE, simplify=False, verbose=False, opset=17, **options
    )
    return folder / str(found)


def ours(path: Path) -> tuple[OnnxDetector, Detections]:
    detector = OnnxDetector(path.read_bytes(), OnnxSettings(score_floor=FLOOR, overlap=OVERLAP))
    (found,) = detector.detect([picture()], at_us=[0])
    return detector, found


def theirs(path: Path, task: str) -> Any:
    from ultralytics import YOLO

    model = YOLO(path, task=task)
    return model.predict(picture(), conf=FLOOR, iou=OVERLAP, imgsz=SIZE, verbose=False, device="cpu")[0]


def overlaps(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    low, high = np.maximum(one[:2], others[:, :2]), np.minimum(one[2:], others[:, 2:])
    inside = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(inside / (np.prod(one[2:] - one[:2]) + areas - inside + 1e-9))


def is_seen(boxes: Any) -> Any:
    """Return which of their boxes have an extent in the picture: no others are given here."""
    sides = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
    return (sides > 1).all(dim=1)


def matched(found: Detections, result: Any, boxes: Any) -> list[int]:
    """Return, for each of their boxes, the index of one of ours with its label, score and place."""
    left = set(range(len(found)))
    indices = []
    for box, score, label in zip(boxes.xyxy.numpy(), boxes.conf.numpy(), boxes.cls.numpy(), strict=True):
        name = result.names[int(label)]
        covers = overlaps(box, found.boxes_xyxy)
        fitting = [
            index
            for index in left
            if found.labels[index] == name
            and covers[index] >= 0.99
            and abs(found.scores[index] - score) < 2e-3
        ]
        assert fitting, (name, score, box)
        indices.append(min(fitting, key=lambda index: abs(found.scores[index] - score)))
        left.remove(indices[-1])
    assert not left
    return indices


@pytest.mark.parametrize(
    ("name", "options", "head"),
    [
        ("yolov5n", {}, Head.ULTRALYTICS),
        ("yolov8n", {}, Head.ULTRALYTICS),
        ("yolov8n", {"nms": True, "conf": FLOOR, "iou": OVERLAP}, Head.END_TO_END),
        ("yolo11n", {}, Head.ULTRALYTICS),
        ("yolo26n", {}, Head.ULTRALYTICS),
        ("yolo26n", {"nms": False}, Head.END_TO_END),
    ],
)
def test_boxes_are_those_of_ultralytics(
    tmp_path: Path, name: str, options: dict[str, Any], head: Head
) -> None:
    path = exported(name, tmp_path, **options)

    detector, found = ours(path)
    result = theirs(path, "detect")

    assert detector.layout.head is head
    assert len(result.boxes) > 0
    matched(found, result, result.boxes[is_seen(result.boxes)])


def test_free_sizes_are_found_out_by_a_run(tmp_path: Path) -> None:
    path = exported("yolov8n", tmp_path, dynamic=True)

    detector, found = ours(path)

    assert (detector.layout.head, detector.max_batch) == (Head.ULTRALYTICS, 8)
    assert len(found) > 0


def test_masks_are_those_of_ultralytics(tmp_path: Path) -> None:
    path = exported("yolov8n-seg", tmp_path)

    _, found = ours(path)
    result = theirs(path, "segment")

    assert found.outlines is not None
    assert len(result.boxes) > 0
    result = result[is_seen(result.boxes)]
    indices = matched(found, result, result.boxes)
    shares = [
        mask_overlap(found.outlines[index], mask.numpy().astype(np.uint8))
        for index, mask in zip(indices, result.masks.data, strict=True)
        if len(found.outlines[index])  # so many are outlined, and no more
    ]
    assert len(shares) >= min(100, len(indices))
    assert np.median(shares) >= 0.99
    assert min(shares) >= 0.9  # of a few pixels, one pixel of outline is much


def mask_overlap(outline: np.ndarray, mask: np.ndarray) -> float:
    """Return how much an outline covers the largest part of a mask, in pixels of the input."""
    parts, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    in_input = np.rint(outline / 2 + [0, (SIZE - 90) / 2]).astype(np.int32)
    drawn = []
    for contour in (in_input, max(parts, key=cv2.contourArea)):
        canvas = np.zeros_like(mask)
        cv2.fillPoly(canvas, [contour], 1)
        drawn.append(canvas.astype(bool))
    return float(np.count_nonzero(drawn[0] & drawn[1]) / np.count_nonzero(drawn[0] | drawn[1]))


def test_keypoints_are_those_of_ultralytics(tmp_path: Path) -> None:
    path = exported("yolov8n-pose", tmp_path)

    _, found = ours(path)
    result = theirs(path, "pose")

    assert found.keypoints is not None
    assert len(result.boxes) > 0
    result = result[is_seen(result.boxes)]
    indices = matched(found, result, result.boxes)
    inside = result.keypoints.xy.numpy()
    points = np.clip(found.keypoints[indices][:, :, :2], 0, [320, 180])
    np.testing.assert_allclose(points, np.clip(inside, 0, [320, 180]), atol=0.5)


def test_oriented_boxes_are_those_of_ultralytics(tmp_path: Path) -> None:
    path = exported("yolov8n-obb", tmp_path)

    _, found = ours(path)
    result = theirs(path, "obb")

    assert found.outlines is not None
    assert len(result.obb) > 0
    ours_corners = np.array([outline[np.lexsort(outline.T)] for outline in found.outlines])
    covered = 0
    for corners in result.obb.xyxyxyxy.numpy():
        wanted = corners[np.lexsort(corners.T)]
        covered += bool((np.abs(ours_corners - wanted).max(axis=(1, 2)) < 1.0).any())
    assert covered >= 0.95 * len(result.obb)  # two suppressions of turned boxes differ at the edge


def test_classes_are_those_of_ultralytics(tmp_path: Path) -> None:
    from ultralytics import YOLO

    model = architecture("yolov8n-cls")
    model.model.model[-1].linear.weight.data *= 40.0
    model.save(tmp_path / "classes.pt")
    path = tmp_path / YOLO(tmp_path / "classes.pt").export(format="onnx", imgsz=SIZE, simplify=False)
    detector = OnnxDetector(path.read_bytes(), OnnxSettings(score_floor=0.01))

    (found,) = detector.detect([picture()], at_us=[0])
    result = YOLO(path, task="classify").predict(picture(), imgsz=SIZE, verbose=False)[0]

    assert detector.layout.head is Head.CLASSES
    assert found.labels[0] == result.names[result.probs.top1]
    assert found.scores[0] == pytest.approx(float(result.probs.top1conf), abs=0.05)
