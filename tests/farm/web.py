"""The HTTP side of a virtual camera: MJPEG, stills, and HLS (MPEG-TS)."""

import asyncio
import io
from collections import deque
from fractions import Fraction

import av
import cv2

from omma_engine.sources.pixel_code import PixelCode
from tests.farm.auth import Gate
from tests.farm.camera import Outgoing, VirtualCamera
from tests.farm.nal import join_annex_b
from tests.farm.picture import Painter, painter_for
from tests.farm.wire import Request, write_response

_BOUNDARY = "farmframe"
_SEGMENT_S = 1.0
_SEGMENTS_LISTED = 5
_FIRST_SEGMENT_TIMEOUT_S = 15.0


class CameraWeb:
    """Answers one camera's HTTP requests; each connection carries one."""

    def __init__(self, camera: VirtualCamera, gate: Gate) -> None:
        self._camera = camera
        self._gate = gate
        self._hls: HlsWindow | None = None

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        status = self._refusal(request)
        self._camera.requests[f"{request.method} {status or 200}"] += 1
        if self._camera.faults.is_mute:
            await asyncio.Event().wait()
        if status is not None:
            headers = {"WWW-Authenticate": self._gate.challenge()} if status == 401 else {}
            write_response(writer, f"HTTP/1.1 {status} Refused", headers, b"")
            return
        path = request.target.partition("?")[0]
        if path == "/video.mjpeg":
            await MjpegClient(self._camera, writer).serve()
        elif path == "/snapshot.jpg":
            await MjpegClient(self._camera, writer).serve_one()
        else:
            kind, body = await self._hls_file(path.removeprefix("/hls/"))
            write_response(writer, "HTTP/1.1 200 OK" if kind else "HTTP/1.1 404 Not Found",
                           {"Content-Type": kind, "Connection": "close"}, body)  # fmt: skip

    def _refusal(self, request: Request) -> int | None:
        if self._camera.faults.answer is not None:
            return self._camera.faults.answer
        is_open = self._gate.admits(request.method, request.headers.get("authorization"))
        return None if is_open else 401

    async def _hls_file(self, name: str) -> tuple[str, bytes]:
        if self._hls is None:
            self._hls = HlsWindow(self._camera)
            self._camera.subscribers.add(self._hls)
        if name == "index.m3u8":
            await asyncio.wait_for(self._hls.has_segment.wait(), _FIRST_SEGMENT_TIMEOUT_S)
            return "application/vnd.apple.mpegurl", self._hls.playlist().encode()
        body = self._hls.segment(name)
        return ("video/mp2t", body) if body is not None else ("", b"")


class MjpegClient:
    """Sends one client JPEG pictures, drawn anew for every picture that the camera makes."""

    def __init__(self, camera: VirtualCamera, writer: asyncio.StreamWriter) -> None:
        self._camera = camera
        self._writer = writer
        self._due: asyncio.Queue[Outgoing] = asyncio.Queue(maxsize=2)
        self._painter: Painter | None = None

    def offer(self, picture: Outgoing) -> bool:
        if self._due.full() or self._camera.faults.is_stalled:
            return False
        self._due.put_nowait(picture)
        return True

    async def serve(self) -> None:
        """Send pictures until the client goes away."""
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        write_response(self._writer, "HTTP/1.1 200 OK", {"Content-Type": kind}, None)
        self._camera.subscribers.add(self)
        try:
            while not self._writer.is_closing():
                jpeg = await self._next_jpeg()
                head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self._writer.write(head.encode() + jpeg + b"\r\n")
                await self._writer.drain()
        finally:
            self._camera.subscribers.discard(self)

    async def serve_one(self) -> None:
        self._camera.subscribers.add(self)
        try:
            jpeg = await self._next_jpeg()
        finally:
            self._camera.subscribers.discard(self)
        write_response(self._writer, "HTTP/1.1 200 OK", {"Content-Type": "image/jpeg"}, jpeg)

    async def _next_jpeg(self) -> bytes:
        entry = (await self._due.get()).entry
        return await asyncio.to_thread(
            self._jpeg_of, PixelCode(entry.stream_id, entry.sequence, entry.utc_us)
        )

    def _jpeg_of(self, code: PixelCode) -> bytes:
        if self._painter is None:
            self._painter = painter_for(self._camera.spec, self._camera.number)
        _, encoded = cv2.imencode(".jpg", self._painter.paint(code), [cv2.IMWRITE_JPEG_QUALITY, 80])
        return bytes(encoded)


class HlsWindow:
    """Cuts a camera's pictures into MPEG-TS segments and lists the newest."""

    def __init__(self, camera: VirtualCamera) -> None:
        self.has_segment = asyncio.Event()
        self._camera = camera
        self._segments: deque[tuple[str, float, bytes]] = deque(maxlen=_SEGMENTS_LISTED * 2)
        self._gathered: list[Outgoing] = []
        self._cut = 0

    def offer(self, picture: Outgoing) -> bool:
        if self._camera.faults.is_stalled or not (self._gathered or picture.is_keyframe):
            return False
        if self._gathered and picture.is_keyframe and self._gathered_s(picture) >= _SEGMENT_S:
            self._cut_segment(picture)
        self._gathered.append(picture)
        return True

    def playlist(self) -> str:
        shown = list(self._segments)[-_SEGMENTS_LISTED:]
        longest = max(duration for _, duration, _ in shown)
        first = int(shown[0][0].partition(".")[0])
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{int(longest + 0.999)}",
                 f"#EXT-X-MEDIA-SEQUENCE:{first}"]  # fmt: skip
        for name, duration, _ in shown:
            lines += [f"#EXTINF:{duration:.6f},", name]
        return "\n".join(lines) + "\n"

    def segment(self, name: str) -> bytes | None:
        return next((body for known, _, body in self._segments if known == name), None)

    def _gathered_s(self, until: Outgoing) -> float:
        return (until.entry.utc_us - self._gathered[0].entry.utc_us) / 1_000_000

    def _cut_segment(self, until: Outgoing) -> None:
        name = f"{self._cut}.ts"
        self._segments.append(
            (name, self._gathered_s(until), _transport_stream(self._camera, self._gathered))
        )
        self._cut += 1
        self._gathered = []
        self.has_segment.set()


def _transport_stream(camera: VirtualCamera, pictures: list[Outgoing]) -> bytes:
    """Return the pictures as MPEG-TS; presentation times are the pictures' UTC, cut to the 33 bits of TS."""
    target = io.BytesIO()
    with av.open(target, "w", format="mpegts") as container:
        spec = camera.spec
        stream = container.add_mux_stream(spec.codec, rate=spec.fps, width=spec.width, height=spec.height)
        stream.time_base = Fraction(1, 90_000)
        start = _ts_clock(pictures[0].entry.utc_us)
        for number, picture in enumerate(pictures):
            packet = av.Packet(join_annex_b(picture.nals))
            packet.stream, packet.time_base = stream, Fraction(1, 90_000)
            packet.pts = _ts_clock(picture.entry.utc_us)
            packet.dts = packet.pts if not spec.b_frames else start + (number - 2) * 90_000 // spec.fps
            packet.is_keyframe = picture.is_keyframe
            container.mux_one(packet)
    return target.getvalue()


def _ts_clock(utc_us: int) -> int:
    return utc_us * 9 // 100 % (1 << 32)
