"""One stream's way into the host: a thread that reads packets, decodes what it must and hands pictures on."""

import logging
import threading
from collections.abc import Callable
from uuid import UUID

from omma_engine.inference.activity import GREY_HEIGHT, GREY_WIDTH, Activity
from omma_engine.inference.decoding import Converter, DecodedFrame, PacketDecoder
from omma_engine.inference.frames import PictureQueue, PictureToAnalyse
from omma_engine.ports import DemandLevel, PacketReader
from omma_engine.types import CodecInfo, EncodedPacket, PacketSizes

logger = logging.getLogger(__name__)

OpenReader = Callable[[UUID, DemandLevel], PacketReader]

_READ_S = 0.25
_RETRY_S = 2.0
_CATCH_UP_WAIT_S = 1.0
CLOCK_STEP_US = 1_000_000  # a picture so much older than the last: the clock was set, begin anew


class StreamFeed:
    """Reads one stream for all analytics that watch it.

    Quiet scenes are read by keyframes. At the first sign of motion everything is wanted, beginning with the
    rest of the GOP that the bus still holds; those pictures wait for room instead of being dropped, so that
    the onset is seen. `start` and `stop` are called by the analysing thread; `stop` is idempotent.
    """

    def __init__(self, stream_id: UUID, *, open_reader: OpenReader, on_picture: Callable[[], None]) -> None:
        self.stream_id = stream_id
        self.queue = PictureQueue()
        self.activity = Activity()
        self.rate_fps = 1.0
        self.decoded = 0
        self.last_capture_us = 0
        self._open_reader = open_reader
        self._on_picture = on_picture
        self._decoder = PacketDecoder()
        self._converter = Converter()
        self._level = DemandLevel.KEYFRAMES
        self._analysed_us = 0
        self._onset_until_us = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"feed-{stream_id}", daemon=True)

    @property
    def decode_errors(self) -> int:
        return self._decoder.errors

    @property
    def level(self) -> DemandLevel:
        """What is read now."""
        return self._level

    def start(self) -> None:
        self._thread.start()

    def request_stop(self) -> None:
        """Let the thread end at its next look, without waiting for it."""
        self._stopping.set()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._read_until_stopped()
            except Exception:  # one bad stream must not harm the others
                logger.exception("stream %s: reading failed, another try in %g s", self.stream_id, _RETRY_S)
                self._decoder = PacketDecoder()
                self._stopping.wait(_RETRY_S)

    def _read_until_stopped(self) -> None:
        self._level = DemandLevel.KEYFRAMES
        reader = self._open_reader(self.stream_id, self._level)
        try:
            while not self._stopping.is_set():
                for item in reader.read(_READ_S):
                    self._take(item)
                self._choose_level(reader)
        finally:
            reader.close()

    def _take(self, item: CodecInfo | EncodedPacket | PacketSizes) -> None:
        match item:
            case CodecInfo():
                self._decoder.set_codec(item)
            case PacketSizes():
                self.activity.note_sizes(item.sizes)
                self.last_capture_us = max(self.last_capture_us, item.sizes[-1][0] if item.sizes else 0)
            case EncodedPacket():
                self._take_packet(item)

    def _take_packet(self, packet: EncodedPacket) -> None:
        self.last_capture_us = max(self.last_capture_us, packet.capture_us)
        if packet.is_keyframe:
            self.activity.note_keyframe_size(len(packet.data))
        if self._level is DemandLevel.EVERYTHING:
            frames = self._decoder.decode(packet)
            if not packet.is_keyframe:
                self.activity.learn_size(len(packet.data))
        elif packet.is_keyframe:
            frames = self._decoder.decode_alone(packet)
        else:
            return  # on its way before the level was lowered
        for frame in frames:
            self.decoded += 1
            self._take_frame(frame)

    def _take_frame(self, decoded: DecodedFrame) -> None:
        at_us = decoded.capture_us
        if at_us < self._analysed_us + round(0.95e6 / self.rate_fps):
            if at_us > self._analysed_us - CLOCK_STEP_US:
                return
            self._analysed_us = 0
        grey = self._converter.to_grey(decoded.frame, width=GREY_WIDTH, height=GREY_HEIGHT)
        is_first = self._analysed_us == 0
        has_changed = self.activity.note_picture(grey, at_us)
        picture = PictureToAnalyse(
            stream_id=self.stream_id,
            capture_us=at_us,
            picture=self._converter.to_bgr(decoded.frame),
            size_wh=(decoded.frame.width, decoded.frame.height),
            is_quiet=not (is_first or has_changed or self.activity.is_awake(at_us)),
        )
        self._analysed_us = at_us
        self.queue.put(picture, wait_s=_CATCH_UP_WAIT_S if at_us <= self._onset_until_us else 0.0)
        self._on_picture()

    def _choose_level(self, reader: PacketReader) -> None:
        is_awake = self.activity.is_awake(self.last_capture_us)
        wanted = DemandLevel.EVERYTHING if is_awake else DemandLevel.KEYFRAMES
        if wanted is self._level:
            return
        if wanted is DemandLevel.EVERYTHING:
            self._onset_until_us = self.last_capture_us
        self._level = wanted
        reader.set_level(wanted)
