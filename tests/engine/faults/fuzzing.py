"""A camera that answers nonsense: descriptions made by a grammar, then broken, and the same for all else.

`python -m tests.engine.faults.fuzzing SEED COUNT TRANSPORT` opens such a camera COUNT times in this process,
reads a little of what comes, and prints how each opening ended and how much memory that took. Only errors of
the engine's own kind may come out of a source; anything else ends the program.
"""

import json
import random
import socket
import sys
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from omma_engine.errors import SourceError
from omma_engine.sources import rtsp
from omma_engine.sources.base import packet_source
from omma_engine.types import SourceKind, SourceSpec

NOBODY = UUID(int=0)
_CODECS = ["H264/90000", "H265/90000", "JPEG/90000", "MP4V-ES/90000", "VP8/90000", "X/0", "H264/-1", "H264/x"]
_ODD = [
    "",
    "0",
    "-1",
    "4294967296",
    "9" * 400,
    "9" * 5000,
    "²",
    "%s%n",
    "\x00",
    "AAAA" * 3000,
    "é" * 50,
    "=",
    ";",
    "trackID=0",
]
_LINES = [
    "v={odd}", "o=- {odd} 1 IN IP4 {odd}", "s={odd}", "c=IN IP4 {odd}", "c=IN IP6 {odd}", "t=0 {odd}",
    "a=control:{odd}", "a=range:npt={odd}", "m=video {odd} RTP/AVP {pt}", "m=video 0 RTP/AVP {odd}",
    "m=audio 0 RTP/AVP {pt}", "m=application 0 RTP/AVP 107", "a=rtpmap:{pt} {codec}", "a=rtpmap:{odd}",
    "a=fmtp:{pt} packetization-mode={odd};sprop-parameter-sets={base64}", "a=framerate:{odd}",
    "a=fmtp:{pt} config={base64};sizelength={odd};indexlength=3;indexdeltalength=3", "a=x-dimensions:{odd}",
    "a=rtpmap:{pt} MPEG4-GENERIC/{odd}/{odd}", "a=key-mgmt:{odd}", "{odd}",
]  # fmt: skip
_GOOD = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n"
    "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"
    "a=fmtp:96 packetization-mode=1;sprop-parameter-sets=Z0LAHtkDxWhAAAADAEAAAAwDxYuS,aMuMsg==\r\n"
    "a=control:trackID=0\r\n"
)


class Nonsense:
    """Answers each connection in its own broken way, and then hangs up."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, name="nonsense", daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._server.accept()
            with suppress(OSError), connection:
                connection.settimeout(2)
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        for _ in range(self._chance.choice([2, 4, 6, 8])):
            asked = connection.recv(65_536).decode("utf-8", "replace")
            if not asked:
                return
            connection.sendall(self._answer(asked))
            if asked.startswith("PLAY"):
                connection.sendall(self._media())
                return

    def _answer(self, asked: str) -> bytes:
        chance = self._chance
        number = next((line[5:].strip() for line in asked.split("\r\n") if line.startswith("CSeq")), "1")
        status = chance.choice(["200 OK"] * 12 + ["500 x", "999", "", "200", "401 no", "302 Moved"])
        body = self._description() if asked.startswith("DESCRIBE") else ""
        lines = [f"RTSP/1.0 {status}", f"CSeq: {number}"]
        if asked.startswith("SETUP"):
            lines += ["Transport: RTP/AVP/TCP;unicast;interleaved=" + chance.choice(["0-1"] * 5 + _ODD)]
            lines += ["Session: " + chance.choice(["1;timeout=60"] * 5 + _ODD)]
        if chance.random() < 0.2:
            lines.append(
                f"{chance.choice(['Content-Base', 'RTP-Info', 'Session', 'X'])}: {chance.choice(_ODD)}"
            )
        length = len(body.encode()) if chance.random() < 0.9 else chance.choice([-1, 0, 5, 10**12, 70_000])
        lines += [f"Content-Length: {length}", "Content-Type: application/sdp"]
        return self._broken(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def _description(self) -> str:
        chance = self._chance
        if chance.random() < 0.35:
            return _GOOD
        made = _GOOD.split("\r\n")
        for _ in range(chance.randrange(1, 12)):
            line = chance.choice(_LINES).format(
                odd=chance.choice(_ODD), pt=chance.choice(["96", "0", "255", "-5"]),
                codec=chance.choice(_CODECS), base64=chance.choice(["////", "Z0LAHg==,", "=", "A" * 9000]),
            )  # fmt: skip
            made.insert(chance.randrange(len(made) + 1), line)
            if chance.random() < 0.3:
                del made[chance.randrange(len(made))]
        return "\r\n".join(made)

    def _media(self) -> bytes:
        """Return interleaved packets with random units in them, some cut short, some not packets at all."""
        chance, out = self._chance, b""
        for number in range(chance.randrange(0, 60)):
            body = bytes(
                [chance.choice([0x67, 0x68, 0x65, 0x61, 0x7C, 0x78, 0x00, 0x06]), chance.randrange(256)]
            )
            body += chance.randbytes(chance.choice([0, 1, 5, 200, 1400]))
            packet = bytes([0x80, chance.choice([96, 96 | 0x80])]) + number.to_bytes(2, "big")
            packet += (number * 3000).to_bytes(4, "big") + b"\x00\x00\x00\x01" + body
            length = len(packet) if chance.random() < 0.95 else chance.randrange(65_536)
            out += b"$" + bytes([chance.choice([0, 0, 0, 1, 9])]) + length.to_bytes(2, "big") + packet
        return self._broken(out)

    def _broken(self, data: bytes) -> bytes:
        if data and self._chance.random() < 0.15:
            changed = bytearray(data)
            for _ in range(self._chance.randrange(1, 8)):
                changed[self._chance.randrange(len(changed))] = self._chance.randrange(256)
            data = bytes(changed)
        return data[: self._chance.randrange(len(data) + 1)] if self._chance.random() < 0.05 else data


def main(seed: int, count: int, transport: str) -> None:
    vars(rtsp).update(OPEN_TIMEOUT_S=0.5, READ_TIMEOUT_S=0.5)  # nobody waits for nonsense
    camera = Nonsense(seed)
    url = f"rtsp://u:p@127.0.0.1:{camera.port}/x"
    spec = SourceSpec(NOBODY, NOBODY, NOBODY, SourceKind.RTSP, url, (), "127.0.0.1", {"transport": transport})
    ends: Counter[str] = Counter()
    for _ in range(count):
        ends[_opened_once(spec)] += 1
    sys.stdout.write(json.dumps({"ends": ends, "peak_mb": _peak_mb()}) + "\n")


def _peak_mb() -> float:
    """Return the most memory that this program has had; `ru_maxrss` would count that of its parent too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the kernel does not say VmHWM")


def _opened_once(spec: SourceSpec) -> str:
    source = packet_source(spec)
    try:
        source.open()
        for _ in range(100):
            source.read().unpack()
    except SourceError as error:
        return error.code
    finally:
        source.close()
    return "went on"


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
