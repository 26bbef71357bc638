"""ONNX detectors: what they find, and in which coordinates."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from omma_engine.detect.onnx_detector import OnnxDetector
from omma_engine.detect.settings import OnnxSettings
from omma_engine.errors import DetectorError
from tests.engine.detect.tiny_onnx import picture_with, tiny_bytes


def test_shapes_are_found_with_label_score_and_box() -> None:
    detector = OnnxDetector(tiny_bytes())

    (found,) = detector.detect([picture_with(("red", 8, 24), ("green", 40, 0))], at_us=[0])

    assert dict(zip(found.labels, found.boxes_xyxy.tolist(), strict=True)) == {
        "red": [8, 24, 24, 40],
        "green": [40, 0, 56, 16],
    }
    assert found.scores.dtype == np.float32
    assert found.scores.min() > 0.5


def test_a_wide_picture_is_letterboxed_and_boxes_come_back_in_its_pixels() -> None:
    detector = OnnxDetector(tiny_bytes())
    wide = np.full((128, 256, 3), 20, dtype=np.uint8)
    wide[64:128, 32:96] = (0, 0, 255)  # a quarter of the size, and 16 lower, inside the model's input

    (found,) = detector.detect([wide], at_us=[0])

    assert found.labels == ("red",)
    assert found.boxes_xyxy.tolist() == [[32, 64, 96, 128]]


def test_a_picture_without_shapes_gives_nothing() -> None:
    (found,) = OnnxDetector(tiny_bytes()).detect([picture_with()], at_us=[0])

    assert len(found) == 0
    assert found.boxes_xyxy.shape == (0, 4)


def test_a_free_batch_takes_many_pictures_at_once_and_a_fixed_one_takes_each_alone() -> None:
    pictures = [picture_with(("red", 8 * (index % 6), 8)) for index in range(11)]
    free, fixed = OnnxDetector(tiny_bytes(batch="n")), OnnxDetector(tiny_bytes())

    together, apart = (model.detect(pictures, at_us=list(range(11))) for model in (free, fixed))

    assert (free.max_batch, fixed.max_batch) == (8, 1)
    assert [one.boxes_xyxy.tolist() for one in together] == [one.boxes_xyxy.tolist() for one in apart]
    assert [one.boxes_xyxy[0][0] for one in together[:3]] == [0, 8, 16]


def test_the_score_floor_is_what_leaves_the_detector() -> None:
    picture = picture_with(("red", 10, 24))  # between two windows: none is pure

    low = OnnxDetector(tiny_bytes(), OnnxSettings(score_floor=0.0)).detect([picture], at_us=[0])[0]
    high = OnnxDetector(tiny_bytes(), OnnxSettings(score_floor=0.9)).detect([picture], at_us=[0])[0]

    assert len(low) > 0
    assert len(high) == 0


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(DetectorError, match="cannot be loaded"):
        OnnxDetector(b"not a model")


@pytest.mark.shared
def test_a_real_model_finds_bottles_and_people(shared_dir: Path) -> None:
    detector = OnnxDetector((shared_dir / "models" / "fastestdet-coco.onnx").read_bytes())

    def hits(name: str, label: str, positions: range) -> int:
        video = cv2.VideoCapture(str(shared_dir / "media" / name))
        count = 0
        for position in positions:
            video.set(cv2.CAP_PROP_POS_FRAMES, position)
            _, picture = video.read()
            (found,) = detector.detect([np.asarray(picture, dtype=np.uint8)], at_us=[position])
            strong = [name for name, score in zip(found.labels, found.scores, strict=True) if score >= 0.5]
            count += label in strong
        video.release()
        return count

    assert detector.labels[0] == "person"
    assert hits("bottle-detection.mp4", "bottle", range(200, 1000, 100)) >= 6
    assert hits("one-by-one-person-detection.mp4", "person", range(330, 410, 10)) >= 6
