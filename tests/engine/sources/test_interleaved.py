"""RTSP over one connection, piece by piece: what cameras say, and what they send."""

import itertools
import socket
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Literal

import pytest

from omma_engine.record.samples import sample_pieces
from omma_engine.sources.base import SourcePacket
from omma_engine.sources.interleaved.decoding import DecodeTimes
from omma_engine.sources.interleaved.description import parse_description, resolved
from omma_engine.sources.interleaved.formats import UnplainError, video_format
from omma_engine.sources.interleaved.line import Line
from omma_engine.sources.interleaved.login import Login
from omma_engine.sources.interleaved.messages import message_size, parse_answer
from omma_engine.sources.interleaved.pictures import Picture, PictureAssembler
from omma_engine.sources.interleaved.reports import receiver_report, sender_report
from omma_engine.sources.interleaved.rtp import RtpReceiver
from omma_engine.sources.interleaved.sound import sound_format
from omma_engine.sources.interleaved.tracks import VideoTrack
from omma_engine.sources.ordering import picture_order
from tests.engine.coded import TICKS, codec_info, coded, stamped
from tests.farm.rtp import RtpTrack, payloads_of

START = b"\x00\x00\x00\x01"
SDP = """v=0
a=control:rtsp://cam/main/
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=framerate:12.5
a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA==
a=control:trackID=1
m=audio 0 RTP/AVP 97
a=rtpmap:97 MPEG4-GENERIC/16000/2
a=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=1410
a=control:trackID=2
m=application 0 RTP/AVP 107
"""


def test_a_description_says_what_there_is() -> None:
    description = parse_description(SDP)

    video, audio = description.first("video"), description.first("audio")
    assert video is not None
    assert audio is not None
    assert (video.encoding, video.payload_type, video.frame_rate) == ("H264", 96, Fraction(25, 2))
    assert resolved(description.control, video.control) == "rtsp://cam/main/trackID=1"
    assert (audio.encoding, audio.clock_hz, audio.channels) == ("MPEG4-GENERIC", 16_000, 2)
    assert video_format(video).codec.frame_rate == (25, 2)


@pytest.mark.parametrize(
    "lines",
    [
        "m=video 0 RTP/AVP 26", "m=video 0 RTP/AVP 96\na=rtpmap:96 JPEG/90000",
        "m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:96 packetization-mode=2", "m=audio 0 RTP/AVP 0",
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_ffmpeg(lines: str) -> None:
    with pytest.raises(UnplainError):
        video_format(parse_description(lines).first("video"))


def test_sound_is_unpacked() -> None:
    audio = parse_description(SDP).first("audio")
    assert audio is not None
    packing = sound_format(audio)
    assert packing is not None

    units = packing.units(memoryview(struct.pack(">HHH", 32, 3 << 3, 2 << 3) + b"abcde"))
    assert [(unit.data, unit.offset_ticks) for unit in units] == [(b"abc", 0), (b"de", 1024)]
    assert packing.units(memoryview(struct.pack(">HH", 16, 9 << 3) + b"short")) == []
    assert (packing.info.codec, packing.info.extradata) == ("aac", b"\x14\x10")


def test_digest_answers_as_the_standard_has_it() -> None:
    login = Login("Mufasa", "Circle Of Life")
    assert login.challenge(
        ['Basic realm="x"', 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"']
    )

    (header,) = login.headers("GET", "/dir/index.html").values()
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in header  # RFC 2069's example
    assert not Login("a", "b").challenge(['Digest realm="x", algorithm=SHA-512-256', "Bearer"])


def test_an_answer_is_read_once_it_is_whole() -> None:
    message = b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nContent-Length: 2\r\n\r\nhi"

    assert message_size(message[:20]) is None
    assert message_size(message) == len(message)
    answer = parse_answer(message)
    assert answer is not None
    assert (answer.status, answer.header("cseq"), answer.body) == (200, "3", b"hi")
    assert parse_answer(b"OPTIONS * RTSP/1.0\r\n\r\n") is None


@pytest.fixture
def pair() -> Iterator[tuple[Line, socket.socket]]:
    ours, theirs = socket.socketpair()
    line = Line(ours)
    yield line, theirs
    line.close()
    theirs.close()


def framed(channel: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0x24, channel, len(data)) + data


def test_media_and_messages_are_told_apart_in_whatever_pieces_they_come(
    pair: tuple[Line, socket.socket],
) -> None:
    line, camera = pair
    answer = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"
    sent = framed(0, b"\x80first") + answer + framed(1, b"\x80second")

    found = []
    for start in range(0, len(sent), 5):
        camera.sendall(sent[start : start + 5])
        assert line.receive(1)
        found += [(frame.channel, bytes(frame.data)) for frame in line.frames()]
    assert found == [(0, b"\x80first"), (None, answer), (1, b"\x80second")]


def test_noise_is_skipped(pair: tuple[Line, socket.socket]) -> None:
    line, camera = pair
    camera.sendall(b"noise $$ and more" + framed(0, b"\x80" + bytes(20)) + b"\xff" * 9 + framed(0, b"\x80b"))
    line.receive(1)

    assert [len(frame.data) for frame in line.frames()] == [21, 2]
    assert line.skipped_bytes == 26
    camera.close()
    assert not line.receive(1)


def pictures_of(codec: str, packets: list[bytes]) -> list[Picture]:
    receiver, assembler = RtpReceiver(96), PictureAssembler(codec)
    found: list[Picture] = []
    for packet in packets:
        taken = receiver.take(memoryview(packet))
        if taken is not None:
            found += assembler.take(taken)
    return found


def units_of(data: bytes) -> list[bytes]:
    return [unit.lstrip(b"\x00") for unit in data.replace(START, b"\x00\x00\x01").split(b"\x00\x00\x01")[1:]]


def sent(codec: str, count: int = 12) -> tuple[list[bytes], list[bytes]]:
    """Return pictures, and the packets that a camera makes of them, its numbers and clock about to wrap."""
    track = RtpTrack(ssrc=1, payload_type=96, first_sequence=0xFFF0)
    pictures = [bytes(packet) for packet in coded(codec, frames=count, width=192)]
    packets: list[bytes] = []
    for number, picture in enumerate(pictures):
        payloads = [part for unit in units_of(picture) for part in payloads_of(unit, codec)]  # type: ignore[arg-type] # one of the literal's
        packets += track.packets(payloads, 0xFFFF_0000 + number * 9000)
    return pictures, packets


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_pictures_are_put_together_over_the_wrap_of_both_counters(codec: str) -> None:
    pictures, packets = sent(codec)
    found = pictures_of(codec, packets)

    assert [units_of(picture.data) for picture in found] == [units_of(each) for each in pictures]
    assert [picture.ticks for picture in found] == [0xFFFF_0000 + number * 9000 for number in range(12)]
    assert [number for number, picture in enumerate(found) if picture.is_keyframe] == [0, 10]
    assert not any(picture.is_corrupt for picture in found)


def test_a_picture_of_which_a_part_is_missing_is_corrupt() -> None:
    track = RtpTrack(ssrc=1, payload_type=96)
    packets = track.packets(payloads_of(b"\x65" + bytes(range(1, 200)) * 30, "h264"), 0)
    packets += track.packets([b"\x41whole"], 3000)
    found = pictures_of("h264", [*packets[:2], *packets[3:]])

    assert [picture.is_corrupt for picture in found] == [True, False]
    assert found[1].data == START + b"\x41whole"


def skimmed(
    codec: Literal["h264", "hevc"], data: bytes, pair: tuple[Line, socket.socket]
) -> tuple[int, list[SourcePacket]]:
    """Return how many frames were looked at whole, and the pictures that were read, as a session does it."""
    sdp = SDP if codec == "h264" else SDP.replace("H264", "H265")
    video = VideoTrack(video_format(parse_description(sdp).first("video")))
    video.channel = 0
    line, theirs = pair
    theirs.sendall(data)
    line.receive(1)
    frames, found = 0, []
    for frame in line.frames():
        frames += 1
        if frame.channel == 0:
            found += video.take(frame.data, 0)
            line.advance(video.take_middles)
    return frames, found


UNITS: dict[Literal["h264", "hevc"], bytes] = {
    "h264": b"\x65" + bytes(range(1, 200)) * 40,
    "hevc": b"\x26\x01" + bytes(range(1, 200)) * 40,
}


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_parts_in_the_middle_are_skimmed_to_the_same_bytes(
    codec: Literal["h264", "hevc"], pair: tuple[Line, socket.socket]
) -> None:
    track = RtpTrack(ssrc=1, payload_type=96, first_sequence=0xFFFD)
    packets = track.packets(payloads_of(UNITS[codec], codec), 0)
    assert len(packets) > 5

    frames, found = skimmed(codec, b"".join(framed(0, each) for each in packets), pair)

    assert frames == 2
    assert found[0].data.endswith(START + UNITS[codec])
    assert not found[0].is_corrupt


def test_a_part_that_does_not_follow_plainly_is_looked_at(pair: tuple[Line, socket.socket]) -> None:
    track = RtpTrack(ssrc=1, payload_type=96)
    packets = track.packets(payloads_of(UNITS["h264"], "h264"), 0)
    frames = [framed(0, each) for each in packets]
    frames[3] = b""  # lost
    frames.insert(2, framed(1, b"report"))

    looked_at, found = skimmed("h264", b"".join(frames), pair)

    assert looked_at > 3
    assert [picture.is_corrupt for picture in found] == [True]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_places_of_units_are_those_that_would_be_found(codec: str) -> None:
    found = pictures_of(codec, sent(codec)[1])

    assert len(found) == 12
    for picture in found:
        told = sample_pieces(codec, picture.data, picture.starts)
        assert [bytes(piece) for piece in told] == [
            bytes(piece) for piece in sample_pieces(codec, picture.data)
        ]


def test_reports_carry_the_time_also_after_2036() -> None:
    track = RtpTrack(ssrc=1, payload_type=96)
    for utc_us in (1_790_000_000_123_456, 2_200_000_000_000_000):
        found = sender_report(memoryview(track.sender_report(utc_us, 77)))
        assert found is not None
        assert abs(found[0] - utc_us) <= 1
        assert found[1] == 77
    assert sender_report(memoryview(receiver_report(5))) is None


@pytest.mark.parametrize("depth", [0, 2])
def test_decoding_times_are_even_and_never_after_showing(depth: int) -> None:
    given = stamped(30, b_frames=3)
    times = DecodeTimes(depth)
    found = [times.of(packet.pts) for packet in given]

    assert all(later > earlier for earlier, later in itertools.pairwise(found))
    settled = list(zip(given, found, strict=True))[8:]
    assert all(packet.pts - 6 * TICKS <= dts <= packet.pts for packet, dts in settled)


def test_a_clock_that_jumps_begins_decoding_anew() -> None:
    times = DecodeTimes()

    assert [times.of(pts) for pts in (0, 3000, 900_000, 10, 3010)] == [0, 3000, 900_000, 10, 3010]


@pytest.mark.parametrize(("codec", "b_frames", "reordered"), [("h264", 0, 0), ("h264", 3, 2), ("hevc", 2, 2)])
def test_parameter_sets_tell_the_order_of_pictures(codec: str, b_frames: int, reordered: int) -> None:
    order = picture_order(codec, codec_info(codec, b_frames=b_frames).extradata)

    assert order.reordered == reordered
    assert picture_order(codec, b"") == picture_order(codec, START + b"\x67")
