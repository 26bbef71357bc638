"""Motion, people and faces on pictures: the drawn scene, noise, light, and real video."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from omma_engine.detect.base import Detections
from omma_engine.detect.faces import FaceDetector
from omma_engine.detect.loading import load_detector
from omma_engine.detect.motion import MotionDetector
from omma_engine.detect.people import PeopleDetector, confidence_of_margin
from omma_engine.detect.spec import ModelSpec
from omma_engine.errors import DetectorError
from omma_engine.sources.scene import SceneRenderer
from omma_engine.sources.scene_options import SceneOptions

Picture = npt.NDArray[np.uint8]
STEP_US = 200_000


def scene(seconds: range, *, width: int = 640, height: int = 480) -> Iterator[tuple[int, Picture]]:
    renderer = SceneRenderer(SceneOptions(width=width, height=height, fps=5))
    for index in range(seconds.start * 5, seconds.stop * 5):
        yield index, renderer.render(index, index * STEP_US).copy()


def noisy(base: Picture, chance: np.random.Generator, sigma: float) -> Picture:
    return np.clip(base + chance.normal(0, sigma, base.shape), 0, 255).astype(np.uint8)


def test_a_walking_person_moves_and_an_empty_scene_does_not() -> None:
    detector = MotionDetector()

    found = {
        index: detector.detect([picture], at_us=[index * STEP_US])[0] for index, picture in scene(range(8))
    }

    quiet, walking = range(3, 14), range(22, 35)
    assert all(len(found[index]) == 0 and found[index].heat == 0 for index in quiet)
    assert all(found[index].labels[0] == "motion" for index in walking)
    assert all(0.1 < found[index].heat < 0.4 for index in walking)
    x1, y1, x2, y2 = found[30].boxes_xyxy[0]
    assert 40 < x2 - x1 < 110
    assert 140 < y2 - y1 < 220


def test_sensor_noise_is_no_motion() -> None:
    chance = np.random.default_rng(1)
    base = next(scene(range(1)))[1]
    detector = MotionDetector()

    found = [detector.detect([noisy(base, chance, 8)], at_us=[index * STEP_US])[0] for index in range(30)]

    assert sum(len(one) for one in found) == 0


def test_a_light_that_is_switched_is_no_motion() -> None:
    base = next(scene(range(1)))[1]
    bright = np.clip(base.astype(np.int16) + 60, 0, 255).astype(np.uint8)
    detector = MotionDetector()

    found: list[Detections] = []
    for index in range(40):
        found += detector.detect([bright if index >= 20 else base], at_us=[index * STEP_US])

    assert sum(len(one) for one in found) == 0


def test_what_stands_still_becomes_background() -> None:
    base = next(scene(range(1)))[1]
    parked = base.copy()
    parked[200:320, 200:360] = (30, 30, 200)
    detector = MotionDetector()

    seen = [
        len(detector.detect([parked if index >= 10 else base], at_us=[index * STEP_US])[0]) > 0
        for index in range(80)
    ]

    assert seen[11]
    assert not any(seen[10 + 8 * 5 :])


@pytest.mark.parametrize("size_wh", [(640, 480), (960, 540)])
def test_the_drawn_person_is_found_where_they_walk(size_wh: tuple[int, int]) -> None:
    width, height = size_wh
    renderer = SceneRenderer(SceneOptions(width=width, height=height, fps=5))
    detector = PeopleDetector()
    inside = [
        index for index, _ in scene(range(4, 14), width=width, height=height) if renderer.has_person(index)
    ]

    found = [
        detector.detect([renderer.render(index, index * STEP_US)], at_us=[0])[0] for index in inside[::4]
    ]

    strong = [one.keep(one.scores >= 0.5) for one in found]
    assert sum(len(one) == 1 for one in strong) >= 0.9 * len(strong)
    x1, y1, x2, y2 = strong[len(strong) // 2].boxes_xyxy[0]
    assert 0.3 * height < y2 - y1 < 0.55 * height
    assert 0.3 < (x1 + x2) / 2 / width < 0.7


def test_nobody_is_found_in_the_empty_scene() -> None:
    detector = PeopleDetector()

    found = [detector.detect([picture], at_us=[0])[0] for index, picture in scene(range(2)) if index % 3 == 0]

    assert sum(int((one.scores >= 0.4).sum()) for one in found) == 0


def test_margins_become_confidences_in_order() -> None:
    confidences = confidence_of_margin(np.array([0.0, 0.6, 1.0, 3.0], dtype=np.float32))

    assert confidences[1] == pytest.approx(0.5)
    assert list(confidences) == sorted(confidences)
    assert confidences.min() > 0
    assert confidences.max() < 1


def test_a_picture_smaller_than_the_window_gives_nothing() -> None:
    small = np.zeros((60, 40, 3), dtype=np.uint8)

    assert len(PeopleDetector().detect([small], at_us=[0])[0]) == 0
    assert len(FaceDetector().detect([small], at_us=[0])[0]) == 0


def test_a_spec_that_means_nothing_is_named() -> None:
    with pytest.raises(DetectorError, match="expected a built-in detector"):
        load_detector(ModelSpec("x", builtin="cats"))
    with pytest.raises(DetectorError, match="model parameters"):
        load_detector(ModelSpec("x", builtin="people", parameters={"colour": 1}))


def test_a_file_that_changed_since_its_import_is_not_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"other")

    with pytest.raises(DetectorError, match="its contents changed"):
        load_detector(ModelSpec("x", file=str(path), sha256="0" * 64))


def drawn_face(size: int) -> Picture:
    """Draw a face of that height, with eyes, brows, nose and mouth, in a grey picture of twice the size."""
    picture = np.full((size * 2, size * 2, 3), 110, dtype=np.uint8)

    def oval(
        x: float, y: float, half_wh: tuple[float, float], colour: tuple[int, int, int], arc: int = 0
    ) -> None:
        centre, axes = (
            (int(size * (1 + x)), int(size * (1 + y))),
            (int(half_wh[0] * size), int(half_wh[1] * size)),
        )
        cv2.ellipse(picture, centre, axes, 0, arc, 360, colour, -1)

    oval(0, 0, (0.36, 0.48), (170, 190, 215))
    oval(0, -0.30, (0.37, 0.25), (30, 35, 45), arc=180)
    for side in (-1, 1):
        oval(side * 0.15, -0.10, (0.09, 0.05), (120, 130, 150))
        oval(side * 0.15, -0.08, (0.055, 0.03), (40, 40, 50))
        oval(side * 0.155, -0.175, (0.085, 0.02), (50, 55, 65))
    oval(0, 0.02, (0.025, 0.1), (190, 210, 235))
    oval(0, 0.14, (0.07, 0.03), (110, 125, 150))
    oval(0, 0.28, (0.14, 0.035), (85, 85, 150))
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(1.0, size * 0.02)), dtype=np.uint8)


def test_a_face_that_looks_into_the_camera_is_found() -> None:
    (found,) = FaceDetector().detect([drawn_face(60)], at_us=[0])

    assert found.labels == ("face",)
    assert found.scores[0] > 0.5
    x1, y1, x2, y2 = found.boxes_xyxy[0]
    assert 55 < (x1 + x2) / 2 < 65
    assert 50 < (y1 + y2) / 2 < 70


@pytest.mark.shared
def test_people_and_motion_are_found_in_real_video(shared_dir: Path) -> None:
    video = cv2.VideoCapture(str(shared_dir / "media" / "one-by-one-person-detection.mp4"))
    people, motion = PeopleDetector(), MotionDetector()
    hits = {"person": 0, "motion": 0}
    for position in range(250, 600):
        is_read, picture = video.read()
        if not is_read or position % 5:
            continue
        pictures = [np.asarray(picture, dtype=np.uint8)]
        hits["person"] += int((people.detect(pictures, at_us=[0])[0].scores >= 0.5).any())
        hits["motion"] += len(motion.detect(pictures, at_us=[position * 100_000])[0]) > 0
    video.release()

    assert hits["person"] >= 15
    assert hits["motion"] >= 15
