"""Packets are cut and numbered as the standards say."""

import struct

import pytest

from tests.farm.nal import VideoCodec
from tests.farm.rtp import RtpTrack, aggregate, payloads_of


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_small_unit_travels_as_it_is(codec: VideoCodec) -> None:
    assert payloads_of(b"\x65" + b"x" * 1399, codec) == [b"\x65" + b"x" * 1399]


def test_a_large_h264_unit_is_cut_into_fu_a() -> None:
    nal = b"\x65" + bytes(range(256)) * 16

    parts = payloads_of(nal, "h264")

    assert [part[0] for part in parts] == [0x7C] * 3
    assert [part[1] for part in parts] == [0x85, 0x05, 0x45]
    assert b"\x65" + b"".join(part[2:] for part in parts) == nal
    assert all(len(part) <= 1400 for part in parts)


def test_a_large_h265_unit_is_cut_into_fu() -> None:
    nal = b"\x26\x01" + bytes(range(256)) * 16

    parts = payloads_of(nal, "hevc")

    assert [part[:2] for part in parts] == [b"\x62\x01"] * 3
    assert [part[2] for part in parts] == [0x93, 0x13, 0x53]
    assert b"\x26\x01" + b"".join(part[3:] for part in parts) == nal


def test_parameter_sets_travel_together() -> None:
    assert aggregate([b"\x67ab", b"\x68c"], "h264") == b"\x78\x00\x03\x67ab\x00\x02\x68c"
    assert aggregate([b"\x40\x01a", b"\x42\x01"], "hevc") == b"\x60\x01\x00\x03\x40\x01a\x00\x02\x42\x01"


def test_packets_are_numbered_over_the_wrap_and_the_last_is_marked() -> None:
    track = RtpTrack(ssrc=0x01020304, payload_type=96, first_sequence=0xFFFF)

    first, second = track.packets([b"a", b"b"], 2**32 + 7)

    assert first == struct.pack(">BBHII", 0x80, 96, 0xFFFF, 7, 0x01020304) + b"a"
    assert second == struct.pack(">BBHII", 0x80, 0x80 | 96, 0, 7, 0x01020304) + b"b"


def test_a_sender_report_counts_what_was_sent() -> None:
    track = RtpTrack(ssrc=5, payload_type=96)
    track.packets([b"abc", b"de"], 0)

    report = track.sender_report(1_500_000, 135_000)

    assert struct.unpack(">BBHIIIIII", report[:28]) == (
        0x80, 200, 6, 5, 2_208_988_801, 0x80000000, 135_000, 2, 5
    )  # fmt: skip
    assert report[28:30] == b"\x81\xca"
    assert len(report) == 28 + 4 * (1 + struct.unpack(">H", report[30:32])[0])
