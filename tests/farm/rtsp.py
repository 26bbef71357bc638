"""RTSP 1.0 (RFC 2326) as a camera answers it."""

import asyncio
import base64
import itertools
import re
import secrets
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from tests.farm.auth import Gate
from tests.farm.camera import VirtualCamera
from tests.farm.nal import kind_of
from tests.farm.rtp import AUDIO_CLOCK_HZ, AUDIO_PAYLOAD_TYPE, VIDEO_CLOCK_HZ, VIDEO_PAYLOAD_TYPE
from tests.farm.session import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Carriage,
    DatagramCarriage,
    InterleavedCarriage,
    MediaSession,
)
from tests.farm.wire import Request, write_response

REASONS = {
    200: "OK", 302: "Moved Temporarily", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 453: "Not Enough Bandwidth", 454: "Session Not Found",
    455: "Method Not Valid in This State", 461: "Unsupported Transport", 501: "Not Implemented",
    503: "Service Unavailable",
}  # fmt: skip
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, PAUSE, GET_PARAMETER, SET_PARAMETER, TEARDOWN"
_TRACK = re.compile(r"trackID=(\d)$")
_ports = itertools.count()

Answer = tuple[int, dict[str, str], bytes]


class RtspConnection:
    """One client's RTSP connection to one camera."""

    def __init__(self, camera: VirtualCamera, gate: Gate, writer: asyncio.StreamWriter) -> None:
        self._camera = camera
        self._gate = gate
        self._writer = writer
        self._media = MediaSession(camera, ssrc=secrets.randbits(31))
        self._session_id = secrets.token_hex(4)

    async def answer(self, request: Request) -> bool:
        """Answer one request and return whether the connection goes on."""
        status, headers, body = await self._respond(request)
        self._camera.requests[f"{request.method} {status}"] += 1
        self._camera.requests["with a login"] += "authorization" in request.headers
        if self._camera.faults.is_mute:
            return True
        headers["CSeq"] = request.headers.get("cseq", "0")
        write_response(self._writer, f"RTSP/1.0 {status} {REASONS.get(status, 'Error')}", headers, body)
        await self._writer.drain()
        if request.method == "PLAY" and status == 200:
            self._camera.force_keyframe()
            self._camera.subscribers.add(self._media)
        return request.method != "TEARDOWN"

    def close(self) -> None:
        self._media.close()

    async def _respond(self, request: Request) -> Answer:
        faults = self._camera.faults
        if faults.answer is not None and faults.answered_method in {"", request.method}:
            return faults.answer, self._forced_headers(faults.answer), b""
        if request.method == "OPTIONS":
            return 200, {"Public": _METHODS}, b""
        if not self._gate.admits(request.method, request.headers.get("authorization")):
            return 401, {"WWW-Authenticate": self._gate.challenge()}, b""
        match request.method:
            case "DESCRIBE":
                return await self._describe(request)
            case "SETUP":
                return await self._set_up(request)
            case "PLAY" | "PAUSE" | "GET_PARAMETER" | "SET_PARAMETER" | "TEARDOWN":
                return self._control(request)
        return 501, {}, b""

    def _forced_headers(self, status: int) -> dict[str, str]:
        if status == 401:
            return {"WWW-Authenticate": self._gate.challenge()}
        location = self._camera.faults.location
        return {"Location": location} if location else {}

    async def _describe(self, request: Request) -> Answer:
        await self._camera.ready.wait()
        headers = {"Content-Type": "application/sdp", "Content-Base": request.target.rstrip("/") + "/"}
        return 200, headers, _description(self._camera).encode()

    async def _set_up(self, request: Request) -> Answer:
        track = _TRACK.search(urlsplit(request.target).path)
        number = int(track[1]) if track else VIDEO_TRACK
        if number not in {VIDEO_TRACK, AUDIO_TRACK} or (
            number == AUDIO_TRACK and not self._camera.spec.has_audio
        ):
            return 404, {}, b""
        wanted = request.headers.get("transport", "")
        chosen = await self._carriage(wanted, number)
        if chosen is None:
            return 461, {}, b""
        carriage, transport = chosen
        self._media.set_up(number, carriage)
        return 200, {"Transport": transport, "Session": f"{self._session_id};timeout=60"}, b""

    async def _carriage(self, wanted: str, track: int) -> tuple[Carriage, str] | None:
        fields = _fields_of(wanted)
        if "RTP/AVP/TCP" in wanted:
            low, high = _pair(fields.get("interleaved", f"{track * 2}-{track * 2 + 1}"))
            name = f"RTP/AVP/TCP;unicast;interleaved={low}-{high}"
            return InterleavedCarriage(self._writer.transport, (low, high)), name  # type: ignore[arg-type]
        if "client_port" not in fields:
            return None
        client = self._writer.get_extra_info("peername")[0], *_pair(fields["client_port"])
        media, reports = await _port_pair(self._writer.get_extra_info("sockname")[0])
        server = media.get_extra_info("sockname")[1]
        ports = f"client_port={client[1]}-{client[2]};server_port={server}-{server + 1}"
        return DatagramCarriage(media, reports, client), f"RTP/AVP;unicast;{ports}"

    def _control(self, request: Request) -> Answer:
        if request.method == "PLAY" and not self._media.is_set_up:
            return 455, {}, b""
        if request.headers.get("session", self._session_id).split(";")[0] != self._session_id:
            return 454, {}, b""
        if request.method in {"PAUSE", "TEARDOWN"}:
            self._camera.subscribers.discard(self._media)
        headers = {"Session": self._session_id}
        if request.method == "PLAY":
            headers |= {"Range": "npt=now-"} | self._rtp_info(request.target)
        return 200, headers, b""

    def _rtp_info(self, target: str) -> dict[str, str]:
        """Say where the RTP clock stands now (RFC 2326, 12.33)."""
        if not self._camera.spec.has_rtp_info:
            return {}
        now = self._camera.rtp_time_at(time.time_ns() // 1000)
        url = f"{target.rstrip('/')}/trackID={VIDEO_TRACK}"
        return {"RTP-Info": f"url={url};seq={self._media.next_sequence};rtptime={now}"}


def _fields_of(transport: str) -> Mapping[str, str]:
    pairs = (part.partition("=") for part in transport.split(",")[0].split(";"))
    return {name.strip(): value for name, _, value in pairs}


def _pair(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    return int(low), int(high or int(low) + 1)


async def _port_pair(host: str) -> tuple[asyncio.DatagramTransport, asyncio.DatagramTransport]:
    """Bind an even UDP port and the next one (RFC 3550, 11)."""
    loop = asyncio.get_running_loop()
    for _ in range(500):
        port = 40_000 + next(_ports) % 10_000 * 2
        try:
            media, _protocol = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, (host, port))
        except OSError:
            continue
        try:
            reports, _protocol = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, (host, port + 1)
            )
        except OSError:
            media.close()
            continue
        return media, reports
    message = "no pair of UDP ports is free"
    raise OSError(message)


def _description(camera: VirtualCamera) -> str:
    """Return the session description (RFC 4566) of what the camera sends now."""
    lines = [
        "v=0", f"o=- {camera.number} 1 IN IP4 127.0.0.1", f"s=camera {camera.number}", "c=IN IP4 0.0.0.0",
        "t=0 0", "a=control:*", "a=range:npt=now-", f"m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}",
    ]  # fmt: skip
    lines += [*_video_lines(camera), f"a=framerate:{camera.spec.fps}", f"a=control:trackID={VIDEO_TRACK}"]
    if camera.spec.has_audio:
        lines += [
            f"m=audio 0 RTP/AVP {AUDIO_PAYLOAD_TYPE}",
            f"a=rtpmap:{AUDIO_PAYLOAD_TYPE} {camera.spec.audio_encoding}/{AUDIO_CLOCK_HZ}",
            f"a=control:trackID={AUDIO_TRACK}",
        ]
    return "\r\n".join(lines) + "\r\n"


def _video_lines(camera: VirtualCamera) -> list[str]:
    codec, sets = camera.spec.codec, camera.parameter_sets
    encoded = [base64.b64encode(nal).decode() for nal in sets]
    if codec == "h264":
        name, profile = "H264", sets[0][1:4].hex()
        format_ = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={','.join(encoded)}"
    else:
        names = {32: "vps", 33: "sps", 34: "pps"}
        parts = [f"sprop-{names[kind_of(nal, codec)]}={b64}" for nal, b64 in zip(sets, encoded, strict=True)]
        name, format_ = "H265", ";".join(parts)
    return [
        f"a=rtpmap:{VIDEO_PAYLOAD_TYPE} {name}/{VIDEO_CLOCK_HZ}",
        f"a=fmtp:{VIDEO_PAYLOAD_TYPE} {format_}",
    ]
