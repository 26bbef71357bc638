"""The synthetic source: paced by its clock, honest about its time, strict about its options."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from omma_engine.errors import SourceStalledError, SourceUnsupportedError
from omma_engine.sources.base import raw_source
from omma_engine.sources.pixel_code import PixelCode, read_code
from omma_engine.sources.scene_options import scene_options
from omma_engine.sources.synthetic import SyntheticSource
from omma_engine.types import SourceKind, SourceSpec
from tests.clocks import FakeClock

NOON_US = 1_772_452_800_000_000  # where the fake clock starts


def spec_of(url: str, options: Mapping[str, object] | None = None) -> SourceSpec:
    return SourceSpec(
        source_id=UUID(int=1), account_id=UUID(int=2), camera_id=UUID(int=3), kind=SourceKind.SYNTHETIC,
        url=url, streams=(), options=options or {},
    )  # fmt: skip


def opened(url: str) -> tuple[SyntheticSource, FakeClock]:
    clock = FakeClock()
    source = SyntheticSource(spec_of(url), clock, clock.advance)
    source.open()
    return source, clock


def test_pictures_come_when_they_are_due_and_carry_their_time() -> None:
    source, _ = opened("synthetic:yard?width=640&height=360&fps=10&stream_id=9")

    pictures = [source.read() for _ in range(3)]

    assert [picture.capture_us for picture in pictures] == [NOON_US, NOON_US + 100_000, NOON_US + 200_000]
    assert pictures[2].array_bgr.shape == (360, 640, 3)
    codes = [read_code(picture.array_bgr[:, :, 0]) for picture in pictures]
    assert codes == [PixelCode(9, number, NOON_US + number * 100_000) for number in range(3)]


def test_pictures_that_are_late_are_left_out() -> None:
    source, clock = opened("synthetic:yard?fps=10")
    source.read()

    clock.advance(1.05)
    late, following = source.read(), source.read()

    assert read_code(late.array_bgr[:, :, 0]) == PixelCode(0, 10, NOON_US + 1_050_000)
    assert read_code(following.array_bgr[:, :, 0]) == PixelCode(0, 11, NOON_US + 1_100_000)


def test_the_registry_opens_it_and_a_closed_source_does_not_read() -> None:
    source = raw_source(spec_of("synthetic:room"))

    assert isinstance(source, SyntheticSource)
    source.close()
    with pytest.raises(SourceStalledError):
        source.read()


def test_the_address_wins_over_options_and_defaults_fill_the_rest() -> None:
    scene = scene_options("synthetic:room?seed=3", {"seed": 1, "fps": 10})

    assert (scene.variant, scene.seed, scene.fps, scene.width, scene.height) == ("room", 3, 10, 1280, 720)
    assert scene_options("synthetic:room", {}).seed != scene_options("synthetic:yard", {}).seed
    assert scene_options("synthetic:", {"variant": "room"}).variant == "room"
    assert scene_options("synthetic://yard", {}).variant == "yard"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("synthetic:moon", "unknown scene of the synthetic camera: moon"),
        ("synthetic:yard?colour=red", "unknown option of the synthetic camera: colour"),
        ("synthetic:yard?fps=fast", "expected a whole number as fps, got 'fast'"),
        ("synthetic:yard?fps=0", "expected fps between 1 and 60, got 0"),
        ("synthetic:yard?width=641", "expected width between 320 and 3840 and even, got 641"),
    ],
)
def test_a_wrong_option_is_named(url: str, words: str) -> None:
    with pytest.raises(SourceUnsupportedError, match=words):
        SyntheticSource(spec_of(url))
