"""A camera's session as a source of packets."""

import secrets
import struct
import time
from collections import deque
from functools import partial

from omma_engine.clock import Clock, SystemClock
from omma_engine.errors import SourceStalledError, SourceUnreachableError
from omma_engine.sources.base import Delivery, Media, SourceInfo, SourcePacket
from omma_engine.sources.failures import source_error
from omma_engine.sources.interleaved.description import Description
from omma_engine.sources.interleaved.formats import UnplainError, video_format
from omma_engine.sources.interleaved.handshake import Dialogue
from omma_engine.sources.interleaved.line import Frame
from omma_engine.sources.interleaved.messages import parse_answer
from omma_engine.sources.interleaved.reports import receiver_report
from omma_engine.sources.interleaved.sound import sound_format
from omma_engine.sources.interleaved.tracks import SoundTrack, VideoTrack

_REPORT_S = 5.0
_LONGEST_WAIT_US = 1_000_000
"""A packet that seems to have waited longer was not: the clock was set meanwhile."""


class InterleavedSession:
    """Reads one session. One thread; what `read` returned may be unpacked in another."""

    def __init__(self, url: str, *, wants_audio: bool, clock: Clock | None = None) -> None:
        self._url = url
        self._wants_audio = wants_audio
        self._clock = clock or SystemClock()
        self._dialogue: Dialogue | None = None
        self._video: VideoTrack | None = None
        self._sound: SoundTrack | None = None
        self._video_channel = self._sound_channel = -2
        self._arrival_us = 0
        self._batch: list[SourcePacket] = []
        self._ready: deque[Delivery] = deque()
        self._own_id = secrets.randbits(32)
        self._said_at_s = self._reported_at_s = time.monotonic()

    def open(self, timeout_s: float) -> SourceInfo:
        """Open the session. Raises `UnplainError` for one that is not read here, and `SourceError`s."""
        try:
            return self._open(time.monotonic() + timeout_s)
        except TimeoutError as error:
            raise SourceUnreachableError(f"the camera did not answer within {timeout_s:g} seconds") from error
        except OSError as error:
            raise source_error(error, was_open=False) from error

    def read(self, timeout_s: float) -> Delivery:
        """Wait for the next pictures; raises `SourceError`s."""
        deadline_s = time.monotonic() + timeout_s
        try:
            while not self._ready:
                self._receive(deadline_s - time.monotonic())
        except TimeoutError as error:
            raise SourceStalledError(f"nothing came for {timeout_s:g} seconds") from error
        except OSError as error:
            raise source_error(error, was_open=True) from error
        return self._ready.popleft()

    @property
    def knows_arrivals(self) -> bool:
        """Return whether the last packet of each delivery tells when it came."""
        return self._dialogue is not None and self._dialogue.line.waited_us is not None

    def close(self) -> None:
        if self._dialogue is not None:
            self._dialogue.end()
            self._dialogue = None

    def _open(self, deadline_s: float) -> SourceInfo:
        self._dialogue = dialogue = Dialogue(self._url, deadline_s=deadline_s, on_media=self._take)
        self._set_up(dialogue, dialogue.describe())
        dialogue.play()
        video = self._video
        assert video is not None  # noqa: S101 (_set_up made it)
        while not video.codec.extradata:
            self._receive(deadline_s - time.monotonic())
        return SourceInfo(video=video.codec, audio=self._sound.info if self._sound else None)

    def _set_up(self, dialogue: Dialogue, description: Description) -> None:
        """Choose what to read, and have it sent."""
        video, sound = video_format(description.first("video")), description.first("audio")
        packing = sound_format(sound) if sound is not None and self._wants_audio else None
        if sound is not None and self._wants_audio and packing is None:
            raise UnplainError("its sound is not read here")
        self._video = VideoTrack(video)
        self._video_channel = self._video.channel = dialogue.set_up(video.medium, 0)
        if sound is not None and packing is not None:
            self._video.has_sound = True
            self._sound = SoundTrack(sound, packing, self._video.clock)
            self._sound_channel = dialogue.set_up(sound, 2)

    def _receive(self, timeout_s: float) -> None:
        """Take what comes next; raises `OSError`s."""
        dialogue, video = self._dialogue, self._video
        if dialogue is None or video is None:
            raise SourceStalledError("the session is closed")
        if timeout_s <= 0:
            raise TimeoutError
        if not dialogue.line.receive(timeout_s):
            raise SourceStalledError("the camera ended the session")
        self._arrival_us = self._clock.now_us()
        waited_us = dialogue.line.waited_us
        for frame in dialogue.line.frames():
            self._take(frame)
            if frame.channel == self._video_channel:
                dialogue.line.advance(video.take_middles)
        video.hold()
        self._hand_out(waited_us)
        self._keep_open(dialogue)

    def _take(self, frame: Frame) -> None:
        channel, data = frame
        if channel == self._video_channel and self._video is not None:
            self._batch += self._video.take(data, self._arrival_us)
        elif channel == self._video_channel + 1 and self._video is not None:
            self._video.take_report(data)
        elif channel == self._sound_channel and self._sound is not None:
            self._batch += self._sound.take(data, self._arrival_us)
        elif channel == self._sound_channel + 1 and self._sound is not None:
            self._sound.take_report(data)
        elif channel is None and self._dialogue is not None:
            answer = parse_answer(bytes(data))
            if answer is not None:
                self._dialogue.take_late(answer)

    def _hand_out(self, waited_us: int | None) -> None:
        """Make a delivery of what has come; the last packet has waited as long as the last bytes did."""
        packets, self._batch = self._batch, []
        if not packets:
            return
        if waited_us is not None and 0 <= waited_us < _LONGEST_WAIT_US:
            packets[-1] = packets[-1]._replace(arrival_us=self._arrival_us - waited_us)
        self._ready.append(_delivery(packets))

    def _keep_open(self, dialogue: Dialogue) -> None:
        now_s = time.monotonic()
        if now_s - self._said_at_s > dialogue.timeout_s / 2:
            self._said_at_s = now_s
            dialogue.keep_open()
        if now_s - self._reported_at_s > _REPORT_S:
            self._reported_at_s = now_s
            report = receiver_report(self._own_id)
            channel = self._video_channel + 1
            dialogue.line.send(struct.pack(">BBH", 0x24, channel, len(report)) + report)


def _delivery(packets: list[SourcePacket]) -> Delivery:
    size = sum(len(packet.data) for packet in packets)
    has_entry = any(packet.is_keyframe and packet.media is Media.VIDEO for packet in packets)
    return Delivery(packets[0].arrival_us, size, has_entry, partial(list, packets))
