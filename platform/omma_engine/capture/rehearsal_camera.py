"""A camera that is none: it says what a plain one says, to whoever rehearses recording. Loopback only."""

import base64
import socket
import struct
import time
from collections.abc import Iterator

# Of 640 by 360 at 25 pictures a second.
_SPS = bytes.fromhex("6764001eacd940a02ff97011000003000100000300320f162d96")
_PPS = bytes.fromhex("68ebe3cb22c0")
_IDR, _SLICE = 0x65, 0x41
_PICTURES, _GOP, _RATE, _TICKS = 16, 5, 25, 90_000
_UNIT_BYTES, _PART_BYTES = 4000, 1000
_PAYLOAD_TYPE, _SOURCE = 96, 0x6F6D6D61
_NTP_TO_UNIX_S = 2_208_988_800
_WAIT_S = 1.0
_REQUESTS = 4  # until it is told to play


class RehearsalCamera:
    """Listens from the beginning; `answer` and then `pictures` serve one session."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(_WAIT_S)
        self._session: socket.socket | None = None
        self._sequence = 0
        self.url = f"rtsp://127.0.0.1:{self._server.getsockname()[1]}/rehearsal"

    def answer(self) -> None:
        """Answer who calls, until it is told to play. Raises `OSError`s."""
        self._session, _ = self._server.accept()
        self._session.settimeout(_WAIT_S)
        for _ in range(_REQUESTS):
            self._session.sendall(_answer(self._request()))

    def pictures(self) -> Iterator[int]:
        """Send picture after picture, with its number."""
        if self._session is None:
            return
        self._session.sendall(_framed(1, _report()))
        for number in range(_PICTURES):
            self._session.sendall(b"".join(self._frames_of(number)))
            yield number

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        self._server.close()

    def _frames_of(self, number: int) -> Iterator[bytes]:
        is_entry = number % _GOP == 0
        parts = _parts(_IDR if is_entry else _SLICE, bytes((0x88,)) * _UNIT_BYTES)
        payloads = [_SPS, _PPS, *parts] if is_entry else parts
        for payload in payloads:
            self._sequence += 1
            mark = 0x80 if payload is payloads[-1] else 0
            ticks = number * _TICKS // _RATE
            header = struct.pack(">BBHII", 0x80, mark | _PAYLOAD_TYPE, self._sequence, ticks, _SOURCE)
            yield _framed(0, header + payload)

    def _request(self) -> str:
        heard = b""
        while not heard.endswith(b"\r\n\r\n"):
            data = self._session.recv(4096) if self._session else b""
            if not data:
                raise ConnectionError("who rehearses hung up")
            heard += data
        return heard.decode()


def _answer(request: str) -> bytes:
    method = request.partition(" ")[0]
    number = request.partition("CSeq:")[2].partition("\r\n")[0].strip()
    headers, body = [f"CSeq: {number}"], ""
    if method == "OPTIONS":
        headers.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
    elif method == "DESCRIBE":
        body = _description()
        headers += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
    elif method == "SETUP":
        headers += ["Session: 1;timeout=60", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1"]
    return ("\r\n".join(["RTSP/1.0 200 OK", *headers]) + "\r\n\r\n" + body).encode()


def _description() -> str:
    sets = ",".join(base64.b64encode(each).decode() for each in (_SPS, _PPS))
    lines = [
        "v=0",
        "m=video 0 RTP/AVP 96",
        f"a=rtpmap:{_PAYLOAD_TYPE} H264/{_TICKS}",
        f"a=fmtp:{_PAYLOAD_TYPE} packetization-mode=1;sprop-parameter-sets={sets}",
        "a=control:track1",
    ]
    return "\r\n".join(lines) + "\r\n"


def _parts(kind: int, data: bytes) -> list[bytes]:
    """Return a unit in fragments (RFC 6184, 5.8)."""
    starts = range(0, len(data), _PART_BYTES)
    return [
        bytes((kind & 0xE0 | 28, kind & 0x1F | (0x80 if at == 0 else 0) | (0x40 if at == starts[-1] else 0)))
        + data[at : at + _PART_BYTES]
        for at in starts
    ]


def _report() -> bytes:
    now = time.time()
    seconds = int(now)
    fraction = int((now - seconds) * (1 << 32))
    return struct.pack(">BBHIIIIII", 0x80, 200, 6, _SOURCE, seconds + _NTP_TO_UNIX_S, fraction, 0, 0, 0)


def _framed(channel: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0x24, channel, len(data)) + data
