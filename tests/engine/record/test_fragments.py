"""Fragments: pictures and sound as FFmpeg reads them back, and what is no picture is left out."""

import io
import itertools
from pathlib import Path

import av
import pytest

from omma_engine.record.boxes import boxes
from omma_engine.record.header import AudioFormat
from omma_engine.record.muxer import FragmentMuxer, MuxedFragment
from omma_engine.record.samples import sample_pieces
from omma_engine.types import EncodedPacket
from tests.engine.coded import codec_info, stamped

START = b"\x00\x00\x01"


def muxed(
    packets: list[EncodedPacket], codec: str = "h264", **made: int
) -> tuple[bytes, list[MuxedFragment]]:
    found: list[MuxedFragment] = []
    muxer = FragmentMuxer(codec_info(codec, **made), None, fragment_us=500_000, on_fragment=found.append)
    for packet in packets:
        assert muxer.add_video(
            packet.data,
            pts=packet.pts,
            dts=packet.dts,
            duration=packet.duration,
            is_keyframe=packet.is_keyframe,
        )
    muxer.close()
    return muxer.header, found


@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 3), ("hevc", 0), ("hevc", 2)])
def test_times_and_bytes_are_read_back_as_they_were_given(codec: str, b_frames: int) -> None:
    packets = stamped(30, codec=codec, b_frames=b_frames)
    header, found = muxed(packets, codec, frames=30, b_frames=b_frames)

    with av.open(io.BytesIO(header + b"".join(each.data for each in found)), "r") as container:
        read = [packet for packet in container.demux(video=0) if packet.size]

    shift = read[0].pts or 0  # FFmpeg's reader begins where decoding does
    assert [(packet.pts or 0) - shift for packet in read] == [packet.pts for packet in packets]
    assert [packet.is_keyframe for packet in read] == [packet.is_keyframe for packet in packets]
    for packet, given in zip(read, packets, strict=True):
        assert bytes(packet) == b"".join(sample_pieces(codec, given.data))


def test_each_fragment_is_two_whole_boxes_and_its_entry_says_where_it_lies() -> None:
    _, found = muxed(stamped(30), frames=30)

    assert [[box.kind for box in boxes(each.data)] for each in found] == [[b"moof", b"mdat"]] * len(found)
    entries = [each.entry.fragment for each in found if each.entry]
    assert [entry.size for entry in entries] == [len(each.data) for each in found]
    assert all(
        earlier.start_us + earlier.duration_us == later.start_us
        for earlier, later in itertools.pairwise(entries)
    )


def test_sound_lies_beside_the_pictures_and_a_hole_in_it_stays_a_hole(tmp_path: Path) -> None:
    found: list[MuxedFragment] = []
    muxer = FragmentMuxer(codec_info(), AudioFormat(8000, 1), fragment_us=500_000, on_fragment=found.append)
    for number, packet in enumerate(stamped(20)):
        muxer.add_video(packet.data, pts=packet.pts, dts=packet.dts, duration=9000, is_keyframe=not number)
        if number not in {4, 5}:
            muxer.add_audio(b"\x01\x18\x20\x07", pts=number * 800, duration=800)
    muxer.close()
    path = tmp_path / "with-sound.mp4"
    path.write_bytes(muxer.header + b"".join(each.data for each in found))

    with av.open(str(path)) as container:
        read = [packet.pts for packet in container.demux(audio=0) if packet.size]
    assert read == [number * 800 for number in range(20) if number not in {4, 5}]


def test_sound_goes_on_without_pictures() -> None:
    found: list[MuxedFragment] = []
    muxer = FragmentMuxer(codec_info(), AudioFormat(8000, 1), fragment_us=500_000, on_fragment=found.append)
    first = stamped(1)[0]
    muxer.add_video(first.data, pts=0, dts=0, duration=9000, is_keyframe=True)
    for number in range(30):
        muxer.add_audio(b"\x01\x18\x20\x07", pts=number * 800, duration=800)

    assert len(found) == 2
    assert [each.entry is None for each in found] == [False, True]


def test_a_picture_without_a_unit_is_not_taken() -> None:
    muxer = FragmentMuxer(codec_info(), None, fragment_us=500_000, on_fragment=lambda _: None)

    assert not muxer.add_video(b"no start code", pts=0, dts=0, duration=1, is_keyframe=True)


@pytest.mark.parametrize(
    ("codec", "data", "expected"),
    [
        ("h264", START + b"\x67a\x00" + START + b"\x65b", b"\x00\x00\x00\x02\x67a\x00\x00\x00\x02\x65b"),
        ("h264", b"\x00" + START + b"\x65b\x00\x00", b"\x00\x00\x00\x02\x65b"),
        ("h264", START + START + b"\x65b", b"\x00\x00\x00\x02\x65b"),
        ("av1", b"\x12\x00\x0a\x0b", b"\x0a\x0b"),
    ],
)  # fmt: skip
def test_units_carry_their_lengths(codec: str, data: bytes, expected: bytes) -> None:
    assert b"".join(sample_pieces(codec, data)) == expected
