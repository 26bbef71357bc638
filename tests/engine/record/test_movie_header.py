"""The movie header of our own: as FFmpeg's in every field, and only made of what is understood."""

import io
from collections.abc import Iterator

import av
import pytest

from omma_engine.record.aac import LOW_COMPLEXITY, object_type
from omma_engine.record.boxes import boxes
from omma_engine.record.header import TICKS_PER_SECOND, AudioFormat, ffmpeg_header, movie_header
from omma_engine.record.movie import plain_header
from omma_engine.sources.nal import nal_type, nal_units
from omma_engine.types import CodecInfo
from tests.engine.coded import codec_info, stamped

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"mvex"}
SAMPLE_ENTRIES = {b"avc1": 78, b"hvc1": 78, b"mp4a": 28}
# FFmpeg signs what it writes, states a bit rate that it only knows as an encoder, and counts no tracks
FFMPEG_ONLY = {b"udta", b"btrt", b"esds"}
NEXT_TRACK = 4


def fields(data: bytes | memoryview, path: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
    for box in boxes(data):
        here = path + b"/" + box.kind
        if box.kind in FFMPEG_ONLY:
            continue
        if box.kind in CONTAINERS:
            yield here, b""
            yield from fields(box.body, here)
        elif box.kind == b"stsd":
            yield here, bytes(box.body[:8])
            yield from fields(box.body[8:], here)
        elif box.kind in SAMPLE_ENTRIES:
            yield here, bytes(box.body[: SAMPLE_ENTRIES[box.kind]])
            yield from fields(box.body[SAMPLE_ENTRIES[box.kind] :], here)
        else:
            yield here, bytes(box.body[:-NEXT_TRACK] if box.kind == b"mvhd" else box.body)


def made(codec: CodecInfo, entry: bytes, audio: AudioFormat | None = None) -> bytes | None:
    sound = (audio.sample_rate, audio.channels) if audio else None
    return plain_header(codec.codec, (codec.width, codec.height), TICKS_PER_SECOND, entry, sound)


@pytest.mark.parametrize("audio", [None, AudioFormat(16_000, 1), AudioFormat(44_100, 2)])
@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 3), ("hevc", 0), ("hevc", 2)])
def test_every_field_is_as_ffmpeg_writes_it(codec: str, b_frames: int, audio: AudioFormat | None) -> None:
    info = codec_info(codec, frames=5, b_frames=b_frames)
    ours = made(info, info.extradata, audio)

    assert ours is not None
    assert list(fields(ours)) == list(fields(ffmpeg_header(info, audio, info.extradata)))


@pytest.mark.parametrize("audio", [AudioFormat(8_000, 1), AudioFormat(48_000, 2)])
def test_sound_is_described_so_that_ffmpeg_knows_it(audio: AudioFormat) -> None:
    info = codec_info("h264", frames=5)
    header = movie_header(info, audio, info.extradata)

    assert header is not None
    assert header.audio is not None
    assert (header.video.track_id, header.audio.track_id) == (1, 2)
    with av.open(io.BytesIO(header.data), "r") as container:
        (sound,) = container.streams.audio
        assert sound.codec_context.name == "aac"
        assert (sound.codec_context.sample_rate, sound.codec_context.channels) == (
            audio.sample_rate,
            audio.channels,
        )
        assert object_type(sound.codec_context.extradata or b"") == LOW_COMPLEXITY


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_keyframe_says_as_much_as_its_parameter_sets(codec: str) -> None:
    info = codec_info(codec, frames=5)
    keyframe = info.extradata + stamped(5, codec=codec)[0].data

    assert made(info, keyframe) == made(info, info.extradata)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_what_is_not_plain_is_left_to_ffmpeg(codec: str) -> None:
    info = codec_info(codec, frames=5)
    units = list(nal_units(info.extradata))
    sequence = next(unit for unit in units if nal_type(codec, unit) == {"h264": 7, "hevc": 33}[codec])
    joined = [b"\x00\x00\x00\x01" + unit for unit in units]

    assert made(info, b"".join(joined[:-1])) is None, "no picture parameter set"
    assert made(info, b"".join([*joined, b"\x00\x00\x00\x01" + sequence + b"\x01"])) is None, "two sequences"
    assert made(info, b"\x01" + info.extradata) is None, "no Annex B"
    assert made(info, b"") is None


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_sequence_cut_anywhere_is_no_trouble(codec: str) -> None:
    info = codec_info(codec, frames=5)
    units = list(nal_units(info.extradata))
    kind = {"h264": 7, "hevc": 33}[codec]
    whole = next(unit for unit in units if nal_type(codec, unit) == kind)
    for length in range(1, len(whole)):
        cut = b"".join(
            b"\x00\x00\x01" + (whole[:length] if nal_type(codec, unit) == kind else unit) for unit in units
        )
        header = made(info, cut)
        assert header is None or [box.kind for box in boxes(header)] == [b"ftyp", b"moov"]
