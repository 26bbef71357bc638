"""The synthetic scene: OpenCV's own detector finds the person on the encoded stream, and nobody else."""

import time
from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from omma_engine.detect.motion import MotionDetector
from omma_engine.sources.scene import SceneRenderer
from omma_engine.sources.scene_options import SceneOptions

FPS = 15
NOON_US = 1_795_262_400_000_000
LEAST_MARGIN = 0.5

Picture = NDArray[np.uint8]


def streamed(options: SceneOptions, seconds: float) -> Iterator[tuple[int, Picture]]:
    """Yield (frame index, decoded BGR picture) after H.264 at about 500 kbit/s."""
    scene = SceneRenderer(options)
    encoder, decoder = _codecs(options)
    for index in range(round(seconds * FPS)):
        frame = av.VideoFrame.from_ndarray(scene.render(index, _utc(index)), format="bgr24")
        frame.pts = index
        for packet in encoder.encode(frame):
            for decoded in decoder.decode(packet):
                yield index, np.asarray(decoded.to_ndarray(format="bgr24"), dtype=np.uint8)


def _utc(index: int) -> int:
    return NOON_US + index * 1_000_000 // FPS


def _codecs(options: SceneOptions) -> tuple[av.VideoCodecContext, av.VideoCodecContext]:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = options.width, options.height, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.bit_rate = Fraction(1, FPS), Fraction(FPS), 500_000
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency"}
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    return encoder, decoder


def _people(picture: Picture) -> int:
    hog = cv2.HOGDescriptor()
    hog.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector()))
    grey = cv2.resize(
        picture, (640, picture.shape[0] * 640 // picture.shape[1]), interpolation=cv2.INTER_AREA
    )
    _, margins = hog.detectMultiScale(grey, winStride=(8, 8), padding=(8, 8), scale=1.08)
    return sum(float(margin) > LEAST_MARGIN for margin in margins)


@pytest.mark.parametrize(
    "options",
    [
        SceneOptions(variant="yard", seed=0),
        SceneOptions(variant="room", seed=1),
        SceneOptions(variant="room", seed=3, width=1280, height=720),
    ],
    ids=["yard", "room", "room-720p"],
)
def test_the_stock_detector_finds_the_person_on_the_encoded_stream_and_no_other(
    options: SceneOptions,
) -> None:
    scene = SceneRenderer(options)
    found = shown = wrong = quiet = 0

    for index, picture in streamed(options, seconds=26):
        if index % 8:
            continue
        if scene.has_person(index):
            shown += 1
            found += _people(picture) == 1
        elif scene.is_empty(index):
            quiet += 1
            wrong += _people(picture) > 0

    assert shown >= 12
    assert quiet >= 15
    assert found >= 0.95 * shown
    assert wrong == 0


def test_nothing_moves_in_the_quiet_stretches_although_clock_and_code_change() -> None:
    options = SceneOptions(width=640, height=360, variant="yard", seed=4)
    scene, motion = SceneRenderer(options), MotionDetector()
    moving = {True: 0, False: 0}

    for index, picture in streamed(options, seconds=20):
        if index % 3 == 0:
            areas = motion.detect([picture], at_us=[_utc(index)])[0]
            moving[scene.is_empty(index)] += len(areas.labels) > 0

    assert moving[True] == 0
    assert moving[False] > 20


def test_a_visit_comes_every_40_seconds_with_quiet_between() -> None:
    scene = SceneRenderer(SceneOptions(fps=FPS))
    empty = [scene.is_empty(index) for index in range(130 * FPS)]

    arrivals = [index / FPS for index in range(1, len(empty)) if empty[index - 1] and not empty[index]]

    assert arrivals == [3.0, 43.0, 83.0, 123.0]
    assert 0.6 < sum(empty) / len(empty) < 0.8


def test_pictures_depend_on_their_number_and_time_alone() -> None:
    options = SceneOptions(seed=2)

    first = SceneRenderer(options).render(150, NOON_US).copy()
    scene = SceneRenderer(options)
    scene.render(149, NOON_US - 66_667)

    assert (scene.render(150, NOON_US) == first).all()


def test_the_scenes_look_different() -> None:
    yard = SceneRenderer(SceneOptions(variant="yard")).render(0, NOON_US)
    room = SceneRenderer(SceneOptions(variant="room")).render(0, NOON_US)

    assert np.abs(yard.astype(int) - room).mean() > 20


def test_an_unknown_scene_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a scene of yard, room, got 'moon'"):
        SceneRenderer(SceneOptions(variant="moon"))


def test_drawing_costs_less_than_a_tenth_of_a_core_at_15_pictures_a_second() -> None:
    scene = SceneRenderer(SceneOptions(width=1280, height=720))
    scene.render(0, NOON_US)

    began_s = time.thread_time()
    for index in range(60, 120):
        scene.render(index, NOON_US)
    each_s = (time.thread_time() - began_s) / 60

    assert each_s * 15 < 0.1
