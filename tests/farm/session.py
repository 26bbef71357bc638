"""One RTSP client's media: its tracks, the way they travel, and the sender reports."""

import asyncio
import math
import struct
import time
from typing import Protocol

from tests.farm.camera import Outgoing, VirtualCamera
from tests.farm.rtp import (
    AUDIO_CLOCK_HZ,
    AUDIO_PAYLOAD_TYPE,
    VIDEO_PAYLOAD_TYPE,
    RtpTrack,
)

VIDEO_TRACK, AUDIO_TRACK = 0, 1
_MOST_BUFFERED_BYTES = 4 * 1024 * 1024
_AUDIO_PACKET_SAMPLES = 160  # 20 ms


class Carriage(Protocol):
    """The way one track's packets travel."""

    def send_media(self, packets: list[bytes]) -> None: ...
    def send_report(self, report: bytes) -> None: ...
    def send_noise(self, noise: bytes) -> None: ...
    def waiting_bytes(self) -> int: ...
    def close(self) -> None: ...


class InterleavedCarriage:
    """RTP inside the RTSP connection (RFC 2326, 10.12)."""

    def __init__(self, transport: asyncio.Transport, channels: tuple[int, int]) -> None:
        self._transport = transport
        self._media, self._reports = channels

    def send_media(self, packets: list[bytes]) -> None:
        framed = [struct.pack(">BBH", 0x24, self._media, len(packet)) + packet for packet in packets]
        self._transport.write(b"".join(framed))

    def send_report(self, report: bytes) -> None:
        self._transport.write(struct.pack(">BBH", 0x24, self._reports, len(report)) + report)

    def send_noise(self, noise: bytes) -> None:
        self._transport.write(noise)

    def waiting_bytes(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Do nothing: the connection belongs to the RTSP side."""


class DatagramCarriage:
    """RTP and RTCP over a pair of UDP ports."""

    def __init__(
        self, media: asyncio.DatagramTransport, reports: asyncio.DatagramTransport,
        client: tuple[str, int, int],
    ) -> None:  # fmt: skip
        self._media, self._reports = media, reports
        host, media_port, report_port = client
        self._media_address, self._report_address = (host, media_port), (host, report_port)

    def send_media(self, packets: list[bytes]) -> None:
        for packet in packets:
            self._media.sendto(packet, self._media_address)

    def send_report(self, report: bytes) -> None:
        self._reports.sendto(report, self._report_address)

    def send_noise(self, noise: bytes) -> None:
        for start in range(0, len(noise), 1000):
            self._media.sendto(noise[start : start + 1000], self._media_address)

    def waiting_bytes(self) -> int:
        return 0  # what UDP cannot take at once is lost

    def close(self) -> None:
        self._media.close()
        self._reports.close()


class MediaSession:
    """Sends one camera's pictures, and its sound, to one client."""

    def __init__(self, camera: VirtualCamera, ssrc: int) -> None:
        self._camera = camera
        self._ssrc = ssrc
        self._carriages: dict[int, Carriage] = {}
        self._video = RtpTrack(ssrc=ssrc, payload_type=VIDEO_PAYLOAD_TYPE, first_sequence=ssrc & 0xFFFF)
        self._audio = RtpTrack(ssrc=ssrc + 1, payload_type=AUDIO_PAYLOAD_TYPE)
        self._needs_keyframe = camera.spec.join == "keyframe"
        self._next_report_s = 0.0
        self._sound_since_us: int | None = None
        self._sound_sent = 0

    @property
    def is_set_up(self) -> bool:
        return bool(self._carriages)

    @property
    def next_sequence(self) -> int:
        """The number of the next video packet."""
        return self._video.next_sequence

    def set_up(self, track: int, carriage: Carriage) -> None:
        self._carriages[track] = carriage

    def close(self) -> None:
        self._camera.subscribers.discard(self)
        for carriage in self._carriages.values():
            carriage.close()

    def offer(self, picture: Outgoing) -> bool:
        faults = self._camera.faults
        carriage = self._carriages.get(VIDEO_TRACK)
        if carriage is None:
            return False
        if faults.noise_bytes:
            carriage.send_noise(faults.noise())
        is_full = carriage.waiting_bytes() > _MOST_BUFFERED_BYTES
        self._needs_keyframe |= faults.is_stalled or is_full
        if faults.is_stalled or is_full or (self._needs_keyframe and not picture.is_keyframe):
            return False
        self._needs_keyframe = False
        packets = self._video.packets(picture.payloads, picture.rtp_time)
        carriage.send_media(faults.survivors(packets))
        self._send_sound(picture.entry.utc_us)
        self._send_reports(picture)
        return True

    def _send_reports(self, picture: Outgoing) -> None:
        spec = self._camera.spec
        if not spec.sender_reports or time.monotonic() < self._next_report_s:
            return
        self._next_report_s = time.monotonic() + spec.sender_report_interval_s
        told_us = picture.entry.utc_us + round(spec.clock_offset_s * 1_000_000)
        report = self._video.sender_report(told_us, picture.rtp_time)
        self._carriages[VIDEO_TRACK].send_report(report)
        if AUDIO_TRACK in self._carriages:
            report = self._audio.sender_report(told_us, self._sound_clock(picture.entry.utc_us))
            self._carriages[AUDIO_TRACK].send_report(report)

    def _sound_clock(self, utc_us: int) -> int:
        since_us = utc_us if self._sound_since_us is None else self._sound_since_us
        return (utc_us - since_us) * AUDIO_CLOCK_HZ // 1_000_000

    def _send_sound(self, utc_us: int) -> None:
        carriage = self._carriages.get(AUDIO_TRACK)
        if carriage is None:
            return
        if self._sound_since_us is None:
            self._sound_since_us = utc_us
        while self._sound_sent + _AUDIO_PACKET_SAMPLES <= self._sound_clock(utc_us):
            carriage.send_media(self._audio.packets([_TONE], self._sound_sent))
            self._sound_sent += _AUDIO_PACKET_SAMPLES


def _a_law(sample: int) -> int:
    """Return the A-law code of a 13-bit sample (ITU-T G.711, table 1)."""
    sign, magnitude = (0x80, sample) if sample >= 0 else (0, -sample - 1)
    magnitude = min(magnitude, 4095)
    exponent = max(magnitude.bit_length() - 5, 0)
    mantissa = magnitude >> max(exponent, 1) & 0x0F
    return (sign | exponent << 4 | mantissa) ^ 0x55


_TONE = bytes(_a_law(round(1500 * math.sin(2 * math.pi * 400 * n / 8000))) for n in range(160))
