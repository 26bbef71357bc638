"""An init segment and fragments, one after the other, are a file that FFmpeg plays."""

import io
from collections.abc import Sequence
from dataclasses import replace

import av
import pytest

from omma_engine.errors import SourceUnsupportedError
from omma_engine.live.muxer import InitSegment, LiveFragment, LiveMuxer
from omma_engine.live.nal_units import split, with_lengths
from omma_engine.types import CodecInfo, EncodedPacket
from tests.apps.streams.bus.video import FRAME_US, START_US, clip, shifted

Made = list[InitSegment | LiveFragment]


def mux_all(info: CodecInfo, packets: Sequence[EncodedPacket]) -> Made:
    muxer = LiveMuxer()
    muxer.set_codec(info)
    return [made for packet in packets for made in muxer.mux(packet)]


def decoded_times_ms(made: Made) -> list[int]:
    with av.open(io.BytesIO(b"".join(part.data for part in made)), "r", format="mp4") as container:
        return [round(float(frame.time or 0) * 1000) for frame in container.decode(video=0)]


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_init_and_fragments_decode_completely(codec: str, b_frames: int) -> None:
    info, packets = clip(codec=codec, b_frames=b_frames)

    made = mux_all(info, packets)

    assert isinstance(made[0], InitSegment)
    assert len(made) == 1 + len(packets)
    times = decoded_times_ms(made)
    assert [time - times[0] for time in times] == [index * 40 for index in range(50)]


def test_each_packet_gives_its_fragment_at_once() -> None:
    info, packets = clip()
    muxer = LiveMuxer()
    muxer.set_codec(info)

    assert [len(muxer.mux(packet)) for packet in packets] == [2] + [1] * 49


def test_the_codec_string_of_h264_is_read_from_the_stream() -> None:
    info, packets = clip()

    first = mux_all(info, packets[:1])[0]

    assert isinstance(first, InitSegment)
    assert first.codec_string == "avc1.64000b"  # high profile, level 1.1
    assert (first.width, first.height) == (160, 96)


def test_the_codec_string_of_h265_is_read_from_the_stream() -> None:
    info, packets = clip(codec="libx265")

    first = mux_all(info, packets[:1])[0]

    assert isinstance(first, InitSegment)
    assert first.codec_string == "hev1.1.6.L30.90"  # main profile, main tier, level 1


def test_length_prefixed_packets_with_an_avcc_record_decode_too() -> None:
    info, packets = clip()
    first = mux_all(info, packets[:1])[0]
    start = first.data.index(b"avcC") + 4
    record = first.data[start : start + int.from_bytes(first.data[start - 8 : start - 4], "big") - 8]
    with_record = replace(info, extradata=record)
    wrapped = [replace(packet, data=with_lengths(split(packet.data, 0)[-1:])) for packet in packets]

    made = mux_all(with_record, wrapped)

    assert len(decoded_times_ms(made)) == 50


def test_nothing_comes_before_a_keyframe() -> None:
    info, packets = clip()

    made = mux_all(info, packets[3:12])

    assert [type(part) for part in made] == [InitSegment, LiveFragment, LiveFragment]
    assert isinstance(made[1], LiveFragment)
    assert made[1].capture_us == START_US + 10 * FRAME_US


def test_media_time_leads_to_capture_time_with_b_frames() -> None:
    info, packets = clip(b_frames=2)

    made = mux_all(info, packets)

    fragments = [part for part in made if isinstance(part, LiveFragment)]
    first_shown_us = decoded_times_ms(made)[0] * 1000
    assert fragments[0].capture_us + first_shown_us == START_US


def test_a_source_that_starts_its_clock_anew_goes_on_in_line() -> None:
    info, packets = clip()

    made = mux_all(info, [*shifted(packets, 3_600_000_000), *packets])

    times = decoded_times_ms(made)
    assert [time - times[0] for time in times] == [index * 40 for index in range(100)]


def test_a_new_resolution_brings_a_new_init_segment() -> None:
    small, large = clip(frames=10), clip(frames=10, size_wh=(192, 128))
    muxer = LiveMuxer()

    made = []
    for info, packets in (small, large):
        muxer.set_codec(info)
        made += [part for packet in packets for part in muxer.mux(packet)]

    inits = [part for part in made if isinstance(part, InitSegment)]
    assert [(init.width, init.height) for init in inits] == [(160, 96), (192, 128)]


@pytest.mark.parametrize("data", [b"", b"\x00\x00\x01", b"\x00\x00\x00\x01\x67", b"\xff" * 500])
def test_garbage_is_refused_by_name(data: bytes) -> None:
    info, packets = clip()

    with pytest.raises(SourceUnsupportedError):
        mux_all(info, [replace(packets[0], data=data)])


def test_a_codec_that_no_fragment_carries_is_refused() -> None:
    info, _ = clip()

    with pytest.raises(SourceUnsupportedError, match="mpeg4 cannot be shown live"):
        LiveMuxer().set_codec(replace(info, codec="mpeg4"))
