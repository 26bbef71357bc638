"""Video files as cameras: pace, loops, codecs, and files that are none."""

import itertools
from pathlib import Path
from uuid import UUID

import pytest

from omma_engine.errors import SourceEndedError, SourceError, SourceNotFoundError, SourceUnsupportedError
from omma_engine.sources.base import Media, SourcePacket
from omma_engine.sources.file import FileSource
from omma_engine.sources.nal import head_of
from omma_engine.types import SourceKind, SourceSpec
from tests.clocks import FakeClock
from tests.engine.coded import HEIGHT, WIDTH, write_file

NOBODY = UUID(int=0)


def spec_of(url: str, **options: object) -> SourceSpec:
    return SourceSpec(NOBODY, NOBODY, NOBODY, SourceKind.FILE, url, (), options=options)


def opened(path: Path, clock: FakeClock, **options: object) -> FileSource:
    source = FileSource(spec_of(str(path), **options), clock=clock, sleep=clock.advance)
    source.open()
    return source


def read(source: FileSource, count: int) -> list[SourcePacket]:
    packets: list[SourcePacket] = []
    while len(packets) < count:
        packets.extend(source.read().unpack())
    return packets


def test_a_file_is_played_at_its_own_pace_and_ends(tmp_path: Path, fake_clock: FakeClock) -> None:
    source = opened(write_file(tmp_path / "clip.mp4", frames=20), fake_clock)
    start_us = fake_clock.now_us()

    packets = read(source, 20)

    waits = [packet.arrival_us - start_us for packet in packets]
    assert [round(wait / 1000) for wait in waits] == [number * 100 for number in range(20)]
    with pytest.raises(SourceEndedError):
        source.read()
    source.close()


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_loop_is_joined_without_a_jump(tmp_path: Path, fake_clock: FakeClock, b_frames: int) -> None:
    source = opened(write_file(tmp_path / "clip.mp4", frames=20, b_frames=b_frames), fake_clock, loop=True)

    packets = read(source, 65)

    assert sorted(packet.pts for packet in packets[:60]) == [
        packets[0].pts + 9000 * number for number in range(60)
    ]
    assert all(later.dts > earlier.dts for earlier, later in itertools.pairwise(packets))
    assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [
        0,
        10,
        20,
        30,
        40,
        50,
        60,
    ]
    source.close()


@pytest.mark.parametrize(
    ("codec", "suffix"), [("h264", "mp4"), ("h264", "mkv"), ("h264", "ts"), ("hevc", "mp4")]
)
def test_keyframes_are_annex_b_with_their_parameter_sets(
    tmp_path: Path, fake_clock: FakeClock, codec: str, suffix: str
) -> None:
    source = opened(write_file(tmp_path / f"clip.{suffix}", codec, frames=12), fake_clock)

    packets = read(source, 11)

    info = source.open().video
    assert (info.codec, info.width, info.height) == (codec, WIDTH, HEIGHT)
    assert packets[0].is_keyframe
    assert head_of(codec, packets[0].data).parameter_sets == info.extradata != b""
    source.close()


def test_a_codec_that_no_browser_plays_is_encoded_once(tmp_path: Path, fake_clock: FakeClock) -> None:
    source = FileSource(
        spec_of(str(write_file(tmp_path / "old.avi", "mpeg4"))), clock=fake_clock, sleep=fake_clock.advance
    )

    info = source.open()
    packets = read(source, 20)

    assert (info.video.codec, info.video.width, info.video.height) == ("h264", WIDTH, HEIGHT)
    assert packets[0].is_keyframe
    steps = {later.pts - earlier.pts for earlier, later in itertools.pairwise(packets)}
    assert steps == {9000}
    source.close()


def test_sound_comes_with_the_pictures(tmp_path: Path, fake_clock: FakeClock) -> None:
    source = FileSource(
        spec_of(str(write_file(tmp_path / "clip.mov", tone="pcm_mulaw"))),
        clock=fake_clock,
        sleep=fake_clock.advance,
    )

    info = source.open()
    packets = read(source, 30)

    assert info.audio is not None
    assert (info.audio.codec, info.audio.sample_rate, info.audio.channels) == ("pcm_mulaw", 8000, 1)
    assert {packet.media for packet in packets} == {Media.VIDEO, Media.AUDIO}
    source.close()


def test_a_clock_that_is_set_does_not_stop_the_play(tmp_path: Path, fake_clock: FakeClock) -> None:
    source = opened(write_file(tmp_path / "clip.mp4"), fake_clock)
    read(source, 5)

    fake_clock.step_wall(-3600)
    before = fake_clock.monotonic_us()
    read(source, 5)

    assert fake_clock.monotonic_us() - before == 500_000
    source.close()


def test_addresses_that_are_no_local_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceUnsupportedError):
        FileSource(spec_of("http://10.0.0.1/clip.mp4"))
    with pytest.raises(SourceNotFoundError, match=r"there is no file absent\.mp4"):
        FileSource(spec_of(str(tmp_path / "absent.mp4"))).open()
    with pytest.raises(SourceNotFoundError):
        FileSource(spec_of("concat:/etc/passwd|/etc/hosts")).open()


@pytest.mark.parametrize(
    "content",
    [b"", b"#EXTM3U\nhttp://127.0.0.1:1/x.ts\n", b"\x00" * 5000, b"ffconcat version 1.0\nfile /etc/passwd\n"],
)
def test_a_file_that_is_no_video_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "strange.mp4"
    path.write_bytes(content)

    with pytest.raises(SourceError):
        FileSource(spec_of(str(path))).open()


@pytest.mark.shared
def test_the_shared_videos_play(shared_dir: Path, fake_clock: FakeClock) -> None:
    for path in sorted((shared_dir / "media").glob("*.mp4")):
        source = opened(path, fake_clock, loop=True)
        packets = [packet for packet in read(source, 60) if packet.media is Media.VIDEO]
        assert packets[0].is_keyframe
        assert all(later.dts > earlier.dts for earlier, later in itertools.pairwise(packets))
        source.close()
