"""Reading a farm's cameras as a client does: through PyAV, and byte by byte over a plain socket."""

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import av

from omma_engine.sources.pixel_code import PixelCode
from tests.farm.ledger import LedgerEntry, code_of_frame, entry_of_packet

Transport = Literal["tcp", "udp"]
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One packet as a client got it; `codes` and `sizes` are of the frames that it completed."""

    entry: LedgerEntry | None
    pts: int | None
    is_keyframe: bool
    size_bytes: int
    codes: tuple[PixelCode | None, ...]
    sizes: tuple[tuple[int, int], ...]
    side_data: Mapping[str, bytes]


def open_stream(
    url: str, transport: Transport = "tcp", *, timeout_s: float = TIMEOUT_S
) -> av.container.InputContainer:
    """Open an address without the seconds of analysis that FFmpeg would like."""
    options = {"analyzeduration": "200000", "probesize": "32768", "fpsprobesize": "0"}
    if url.startswith("rtsp"):
        options["rtsp_transport"] = transport
    return av.open(url, options=options, timeout=(timeout_s, timeout_s))


def packets_of(container: av.container.InputContainer, *, decoded: bool = True) -> Iterator[Seen]:
    """Yield the packets of the video as they come."""
    for packet in container.demux(video=0):
        frames = packet.decode() if decoded else []
        yield Seen(
            entry=entry_of_packet(bytes(packet)),
            pts=packet.pts,
            is_keyframe=packet.is_keyframe,
            size_bytes=packet.size,
            codes=tuple(code_of_frame(frame) for frame in frames),
            sizes=tuple((frame.width, frame.height) for frame in frames),
            side_data={item.data_type: bytes(item) for item in packet.iter_sidedata()},
        )


def read_until(
    packets: Iterator[Seen], is_enough: Callable[[list[Seen]], bool], *, at_most: int = 300
) -> list[Seen]:
    """Return the packets read until there are enough of them; raises `AssertionError` after `at_most`."""
    seen: list[Seen] = []
    for packet in packets:
        seen.append(packet)
        if is_enough(seen):
            return seen
        if len(seen) >= at_most:
            break
    raise AssertionError(f"what was waited for did not come in {len(seen)} packets")


def read_some(packets: Iterator[Seen], count: int) -> list[Seen]:
    return read_until(packets, lambda seen: len(seen) >= count, at_most=count)


class PlainRtsp:
    """An RTSP client that does only what it is told, and shows what comes over the wire."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        assert address.hostname is not None
        self.url = f"rtsp://{address.hostname}:{address.port}{address.path}"
        self._socket = socket.create_connection((address.hostname, address.port or 554), timeout=TIMEOUT_S)
        self._stream = self._socket.makefile("rb")
        self._number = 0

    def __enter__(self) -> "PlainRtsp":
        return self

    def __exit__(self, *reason: object) -> None:
        self._stream.close()
        self._socket.close()

    def ask(self, method: str, headers: Mapping[str, str] | None = None, path: str = "") -> tuple[int, str]:
        """Send one request and return the status and the rest of the answer."""
        self._number += 1
        fields = {"CSeq": str(self._number), **(headers or {})}
        lines = [f"{method} {self.url}{path} RTSP/1.0", *(f"{name}: {text}" for name, text in fields.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return self._answer()

    def play(self) -> None:
        """Set up the video over this connection and start it."""
        transport = {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"}
        for status in (self.ask("SETUP", transport, "/trackID=0")[0], self.ask("PLAY")[0]):
            assert status == 200

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes, fewer at the end of the connection."""
        return self._stream.read(count)

    def next_packet(self) -> tuple[int, bytes]:
        """Return channel and body of the next interleaved packet; raises `ValueError` where none begins."""
        header = self._stream.read(4)
        if header[:1] != b"$":
            raise ValueError(f"expected an interleaved packet, got {header!r}")
        return header[1], self._stream.read(int.from_bytes(header[2:], "big"))

    def _answer(self) -> tuple[int, str]:
        status = int(self._stream.readline().split()[1])
        lines = []
        while line := self._stream.readline().decode().strip():
            lines.append(line)
        sizes = [line.partition(":")[2] for line in lines if line.lower().startswith("content-length")]
        body = self._stream.read(int(sizes[0])) if sizes else b""
        return status, "\n".join(lines) + "\n\n" + body.decode()
