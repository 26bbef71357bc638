"""What ultralytics exports is what the detector reads, to the number. Nothing is downloaded."""

from pathlib import Path

import numpy as np
import pytest

from omma_engine.detect.onnx_detector import OnnxDetector

SIZE = 320

pytestmark = pytest.mark.filterwarnings("ignore")  # other people's


@pytest.fixture
def _offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOLO_OFFLINE", "True")
    monkeypatch.setenv("YOLO_AUTOINSTALL", "False")
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_offline")
def test_an_exported_model_gives_the_numbers_of_the_original(tmp_path: Path) -> None:
    import torch
    from ultralytics import YOLO

    torch.manual_seed(7)
    model = YOLO("yolov8n.yaml")  # the architecture, with random weights
    picture = np.random.default_rng(7).random((1, 3, SIZE, SIZE), dtype=np.float32)

    exported = model.export(format="onnx", imgsz=SIZE, simplify=False, verbose=False)
    detector = OnnxDetector((tmp_path / exported).read_bytes())
    with torch.no_grad():
        expected = model.model.float().eval()(torch.from_numpy(picture))[0].numpy()

    assert len(detector.labels) == 80
    assert detector.layout.size_wh == (SIZE, SIZE)
    np.testing.assert_allclose(detector.run_raw(picture)[0], expected, rtol=1e-3, atol=1e-2)
