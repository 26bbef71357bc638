"""A model trained here on drawn shapes finds them, as a `.pt` file and as the ONNX file that comes out."""

import json
from pathlib import Path

import numpy as np
import pytest

from omma_engine.detect.canary import check_model
from omma_engine.detect.onnx_detector import OnnxDetector
from omma_engine.detect.settings import OnnxSettings
from omma_engine.detect.torch_detector import TorchDetector
from omma_engine.errors import DetectorError
from omma_engine.workshop.child import BEAT, JOB, PROGRESS, RESULT
from tests.extras.shapes import SIDE, drawn, write_dataset
from tests.extras.workshop_child import run_child

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(400)]  # other people's


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    inside = float(np.prod(np.clip(high - low, 0, None)))
    areas = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]))
    return inside / (areas - inside)


def test_a_trained_model_finds_what_it_was_shown(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    job = {
        "kind": "train",
        "source": str(write_dataset(tmp_path / "shapes.zip")),
        "options": {"architecture": "tiny", "epochs": 40, "picture_px": SIDE, "batch": 16, "seed": 1},
    }
    (work / JOB).write_text(json.dumps(job))

    run_child(work, timeout_s=300)

    result = json.loads((work / RESULT).read_text())
    assert "file" in result, result
    assert json.loads((work / PROGRESS).read_text())["progress"] > 0.9
    trained = work / result["file"]
    report = check_model(trained)
    assert (report.task, report.labels, report.input_size_wh) == ("detect", ["square"], [SIDE, SIDE])
    onnx = OnnxDetector(trained.read_bytes(), OnnxSettings(score_floor=0.1))
    torch = TorchDetector(trained.with_suffix(".pt"), OnnxSettings(score_floor=0.1))
    chance, found, alike = np.random.default_rng(99), 0, 0
    for _ in range(10):
        picture, (x, y, width, height) = drawn(chance)
        box = np.array([x - width / 2, y - height / 2, x + width / 2, y + height / 2]) * SIDE
        (ours,), (theirs,) = (one.detect([picture], at_us=[0]) for one in (onnx, torch))
        found += len(ours) > 0 and overlap(ours.boxes_xyxy[0], box) > 0.5
        alike += len(ours) == len(theirs) and all(
            overlap(one, other) > 0.98 for one, other in zip(ours.boxes_xyxy, theirs.boxes_xyxy, strict=True)
        )
    torch.close()
    assert torch.labels == ("square",)
    assert found >= 8
    assert alike >= 9


def test_a_file_that_is_no_model_is_refused_where_it_can_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bad.pt"
    path.write_bytes(b"no pickle")

    with pytest.raises(DetectorError, match="the model cannot be loaded"):
        TorchDetector(path)


def test_work_that_cannot_be_done_says_so(tmp_path: Path) -> None:
    (tmp_path / JOB).write_text(json.dumps({"kind": "convert", "source": "/nowhere", "target": "coffee"}))
    (tmp_path / BEAT).touch()

    run_child(tmp_path, timeout_s=60)

    assert "expected a target of" in json.loads((tmp_path / RESULT).read_text())["error"]
