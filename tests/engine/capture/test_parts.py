"""The parts of a child that need no process: mailbox, back-off, control line, spec, sound."""

import itertools
import random
import socket
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from omma_engine.capture.backoff import Backoff
from omma_engine.capture.control import ControlLine
from omma_engine.capture.mailbox import Mailbox, Opened, Overflowed
from omma_engine.capture.sound import SoundTrack
from omma_engine.capture.spec import decode_spec, encode_spec
from omma_engine.errors import (
    ProtocolError,
    SourceAuthError,
    SourceStalledError,
    SourceUnreachableError,
    SourceUnsupportedError,
)
from omma_engine.sources.base import AudioInfo, Delivery, Media, SourceInfo, SourcePacket
from omma_engine.types import SourceKind
from tests.engine.capture.driving import source_spec
from tests.engine.coded import codec_info


def delivery(size: int, *, is_keyframe: bool = False) -> Delivery:
    return Delivery(0, size, is_keyframe, list)


@pytest.mark.fault("F23")
def test_a_full_mailbox_drops_its_oldest_pictures_up_to_a_keyframe_and_says_so() -> None:
    mailbox = Mailbox(most_bytes=100)
    opened, second = Opened(SourceInfo(codec_info())), delivery(40, is_keyframe=True)
    mailbox.deliver(delivery(40, is_keyframe=True))
    mailbox.deliver(delivery(20))
    mailbox.put(opened)
    mailbox.deliver(second)
    last = delivery(10)

    mailbox.deliver(last)

    assert mailbox.waiting_bytes == 50
    assert [mailbox.take() for _ in range(5)] == [Overflowed(2), opened, second, last, None]
    assert mailbox.dropped == 2


@pytest.mark.fault("F23")
def test_a_group_too_large_for_the_mailbox_is_left_out_whole() -> None:
    mailbox = Mailbox(most_bytes=100)
    for each in (delivery(90, is_keyframe=True), delivery(20), delivery(1), delivery(1)):
        mailbox.deliver(each)
    assert (mailbox.take(), mailbox.waiting_bytes) == (None, 0)

    key = delivery(10, is_keyframe=True)
    mailbox.deliver(key)

    assert [mailbox.take() for _ in range(3)] == [Overflowed(4), key, None]
    assert mailbox.dropped == 4


@pytest.mark.fault("F1")
def test_back_off_doubles_to_half_a_minute_and_begins_afresh_after_health() -> None:
    backoff = Backoff(random.Random(1))
    waits = [backoff.after(SourceUnreachableError("x")) for _ in range(9)]

    for wait, least in zip(waits, [0.5, 1, 2, 4, 8, 16, 30, 30, 30], strict=True):
        assert least <= wait <= least * 1.25
    backoff.healthy_for(4)
    assert backoff.after(SourceStalledError("x")) >= 30
    backoff.healthy_for(60)
    assert backoff.after(SourceStalledError("x")) < 1


@pytest.mark.fault("F1", "F15")
def test_what_worked_is_tried_again_at_once_and_what_then_fails_waits_as_before() -> None:
    backoff = Backoff(random.Random(1))
    for _ in range(9):
        backoff.after(SourceUnreachableError("x"))

    backoff.healthy_for(10)
    first = backoff.after(SourceStalledError("x"))
    backoff.healthy_for(0)
    second = backoff.after(SourceUnreachableError("x"))

    assert first < 1
    assert second >= 30


@pytest.mark.fault("F4")
def test_refusals_wait_longer() -> None:
    assert Backoff().after(SourceAuthError("401")) >= 30
    assert Backoff().after(SourceUnsupportedError("no video")) >= 60


@pytest.fixture
def line() -> Iterator[tuple[ControlLine, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ControlLine(ours), theirs
    ours.close()
    theirs.close()


def test_lines_are_read_whole(line: tuple[ControlLine, socket.socket]) -> None:
    ours, theirs = line
    theirs.sendall(b'{"do": "be')
    assert ours.wait(0.01) == []
    theirs.sendall(b'at"}\n{"do": "stop"}\n')
    assert ours.wait(0.01) == [{"do": "beat"}, {"do": "stop"}]
    theirs.close()
    assert ours.wait(0.01) == []
    assert ours.is_closed


@pytest.mark.parametrize("text", [b"not json\n", b"[1]\n"])
def test_what_is_no_message_is_refused(line: tuple[ControlLine, socket.socket], text: bytes) -> None:
    line[1].sendall(text)
    with pytest.raises(ProtocolError):
        line[0].wait(0.01)


def test_a_supervisor_that_does_not_read_blocks_nothing(line: tuple[ControlLine, socket.socket]) -> None:
    ours, theirs = line
    for number in range(600):
        ours.say({"n": number, "words": "x" * 10_000})

    theirs.settimeout(0.2)
    got = b""
    while True:
        ours.wait(0)
        try:
            got += theirs.recv(1 << 20)
        except TimeoutError:
            break
    lines = got.split(b"\n")[:-1]
    assert 400 <= len(lines) < 600
    assert b'"n":599' in lines[-1]


def test_a_spec_survives_the_line() -> None:
    spec = source_spec(
        Path("/v"), SourceKind.RTSP, "rtsp://u:p@cam/x", numeric_host="10.0.0.5", transport="udp"
    )
    assert decode_spec(encode_spec(spec)) == spec


@pytest.mark.parametrize("broken", [{}, {"kind": "teapot"}, {"source_id": 5}])
def test_a_spec_that_is_none_is_refused(broken: dict[str, object]) -> None:
    values = encode_spec(source_spec(Path("/v"), SourceKind.FILE, "/x")) | broken if broken else {}
    with pytest.raises(ProtocolError):
        decode_spec(values)


def aac(rate: int = 16_000) -> tuple[bytes, list[bytes]]:
    """Return an AudioSpecificConfig and access units of AAC-LC."""
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = rate, "mono", "fltp"
    encoder.open()
    units: list[bytes] = []
    for number in range(6):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate, frame.pts = rate, number * 1024
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        units.extend(bytes(packet) for packet in encoder.encode(frame))
    return encoder.extradata or b"", units


def sound(data: bytes, pts: int) -> SourcePacket:
    return SourcePacket(Media.AUDIO, data, pts, pts, 0, is_keyframe=True, arrival_us=0)


def test_aac_is_copied() -> None:
    config, units = aac()
    track = SoundTrack(AudioInfo("aac", 16_000, 1, (1, 16_000), config))

    pieces = [
        piece for number, unit in enumerate(units) for piece in track.pieces(sound(unit, number * 1024))
    ]

    assert [piece.data for piece in pieces] == units
    assert [piece.media_us for piece in pieces] == [number * 64_000 for number in range(len(units))]


def test_aac_in_adts_loses_its_headers() -> None:
    _, units = aac()
    track = SoundTrack(AudioInfo("aac", 16_000, 1, (1, 90_000)))
    size = len(units[0]) + 7
    header = bytes([0xFF, 0xF1, 0x60, 0x40 | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC])

    (piece,) = track.pieces(sound(header + units[0], 90_000))

    assert piece.data == units[0]
    assert piece.media_us == 1_000_000


@pytest.mark.parametrize(("codec", "channels"), [("pcm_alaw", 1), ("pcm_mulaw", 2)])
def test_other_sound_becomes_aac_of_the_same_length(codec: str, channels: int) -> None:
    track = SoundTrack(AudioInfo(codec, 8_000, channels, (1, 8_000)))

    pieces = [
        piece
        for number in range(50)
        for piece in track.pieces(sound(b"\x55" * 160 * channels, 80_000 + number * 160))
    ]

    assert track.format.channels == channels
    assert sum(piece.samples for piece in pieces) >= 50 * 160 - 2 * 1024
    assert all(later.media_us - earlier.media_us == 128_000 for earlier, later in itertools.pairwise(pieces))
    assert abs(pieces[0].media_us - 10_000_000) <= 130_000


@pytest.mark.fault("F13")
def test_damaged_sound_is_left_out() -> None:
    track = SoundTrack(AudioInfo("mp3", 44_100, 2, (1, 90_000)))
    chance = random.Random(1)
    assert [
        piece for number in range(20) for piece in track.pieces(sound(chance.randbytes(400), number * 2000))
    ] == []
