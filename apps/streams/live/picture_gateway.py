"""One decoder per stream and web process, shared by all who want single pictures of it: MJPEG and stills."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from uuid import UUID
from weakref import WeakKeyDictionary

from apps.streams.bus.async_reader import AsyncBusReader, AsyncReaders, connect
from apps.streams.bus.async_results import follow_results
from apps.streams.bus.reading import BusItem
from apps.streams.live.overlays import Overlays
from omma_engine.errors import SourceUnsupportedError
from omma_engine.live.pictures import LivePicture, PictureDecoder, encode_picture
from omma_engine.ports import DemandLevel
from omma_engine.types import CodecInfo, EncodedPacket

logger = logging.getLogger(__name__)

LINGER_S = 4.0  # without a question for this long: less is decoded, then nothing
READ_S = 0.5

Variant = tuple[int | None, bool]  # width, with boxes


class PictureGateway:
    """Decodes while somebody asks; who asks late gets the newest picture, and what was before is gone."""

    def __init__(self, stream_id: UUID, reader: AsyncBusReader, bus_url: str, *, linger_s: float) -> None:
        self._stream_id = stream_id
        self._reader = reader
        self._bus_url = bus_url
        self._linger_s = linger_s
        self._decoder = PictureDecoder()
        self._overlays = Overlays()
        self._results: asyncio.Task[None] | None = None
        self._picture: LivePicture | None = None
        self._number = 0
        self._changed = asyncio.Event()
        self._is_stopped = False
        self._asked_s = time.monotonic()
        self._moving_asked_s = float("-inf")
        self._encodings: dict[Variant, tuple[int, asyncio.Task[bytes]]] = {}

    async def picture_after(self, number: int, *, is_moving: bool, timeout_s: float) -> int:
        """Wait for a picture after that number; return the newest one's (or the same after the time)."""
        deadline = time.monotonic() + timeout_s
        while self._number <= number and (left_s := deadline - time.monotonic()) > 0:
            self._note_question(is_moving=is_moving)
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), min(left_s, 1.0))
            except TimeoutError:
                continue
        self._note_question(is_moving=is_moving)
        return self._number

    @property
    def capture_us(self) -> int:
        """When the newest picture was taken."""
        return self._picture.capture_us if self._picture is not None else 0

    async def encoded(self, *, width: int | None, with_boxes: bool) -> bytes:
        """Return the newest picture as JPEG; all who want the same one share the work."""
        if with_boxes and self._results is None:
            self._results = asyncio.create_task(
                follow_results(self._bus_url, self._stream_id, self._overlays.take)
            )
        variant = (width, with_boxes)
        found = self._encodings.get(variant)
        if found is None or found[0] != self._number:
            task = asyncio.create_task(asyncio.to_thread(self._encode, variant))
            found = self._encodings[variant] = self._number, task
        return await asyncio.shield(found[1])

    async def run(self) -> None:
        """Work until nobody has asked for a while."""
        try:
            while not self._is_stopped and time.monotonic() - self._asked_s < self._linger_s:
                level = self._level()
                self._reader.set_level(level)
                items = await self._reader.read(READ_S)
                if items:
                    await self._take(items, level)
        finally:
            if self._results is not None:
                self._results.cancel()
                await asyncio.gather(self._results, return_exceptions=True)
            await self._reader.close()

    def stop(self) -> None:
        self._is_stopped = True

    def _level(self) -> DemandLevel:
        is_moving = time.monotonic() - self._moving_asked_s < self._linger_s / 2
        return DemandLevel.EVERYTHING if is_moving else DemandLevel.KEYFRAMES

    def _note_question(self, *, is_moving: bool) -> None:
        self._asked_s = time.monotonic()
        if is_moving:
            self._moving_asked_s = self._asked_s

    async def _take(self, items: Sequence[BusItem], level: DemandLevel) -> None:
        try:
            picture = await asyncio.to_thread(self._decode, items, level)
        except SourceUnsupportedError as error:
            logger.warning("pictures of %s: %s", self._stream_id, error)
            return
        if picture is not None:
            self._picture = picture
            self._number += 1
            self._changed.set()
            self._changed = asyncio.Event()

    def _decode(self, items: Sequence[BusItem], level: DemandLevel) -> LivePicture | None:
        """Decode what came, in order. Runs in a thread; the caller waits for it before the next."""
        newest: LivePicture | None = None
        only_keyframes = level is DemandLevel.KEYFRAMES
        for item in items:
            if isinstance(item, CodecInfo):
                self._decoder.set_codec(item)
            elif isinstance(item, EncodedPacket):
                newest = self._decoder.decode([item], only_keyframes=only_keyframes) or newest
        return newest

    def _encode(self, variant: Variant) -> bytes:
        width, with_boxes = variant
        if self._picture is None:
            raise SourceUnsupportedError("there is no picture yet")
        boxes = self._overlays.boxes_at(self._picture.capture_us) if with_boxes else []
        return encode_picture(self._picture, max_width=width, boxes=boxes)


class PictureGateways:
    """The picture gateways of one event loop."""

    def __init__(
        self, bus_url: str, open_readers: Callable[[], AsyncReaders], *, linger_s: float = LINGER_S
    ) -> None:
        self._bus_url = bus_url
        self._open_readers = open_readers
        self._linger_s = linger_s
        self._readers: AsyncReaders | None = None
        self._running: dict[UUID, tuple[PictureGateway, asyncio.Task[None]]] = {}

    def gateway_of(self, stream_id: UUID) -> PictureGateway:
        """Return the stream's gateway, started when it does not run."""
        found = self._running.get(stream_id)
        if found is None or found[1].done():
            found = self._running[stream_id] = self._start(stream_id)
        return found[0]

    def is_running(self, stream_id: UUID) -> bool:
        found = self._running.get(stream_id)
        return found is not None and not found[1].done()

    async def close(self) -> None:
        """End all gateways and connections."""
        running = list(self._running.values())
        self._running.clear()
        for gateway, task in running:
            gateway.stop()
            task.cancel()
        await asyncio.gather(*(task for _, task in running), return_exceptions=True)
        if self._readers is not None:
            await self._readers.close()
            self._readers = None

    def _start(self, stream_id: UUID) -> tuple[PictureGateway, asyncio.Task[None]]:
        if self._readers is None:
            self._readers = self._open_readers()
        reader = self._readers(stream_id, DemandLevel.KEYFRAMES)
        gateway = PictureGateway(stream_id, reader, self._bus_url, linger_s=self._linger_s)
        task = asyncio.create_task(gateway.run(), name=f"pictures {stream_id}")
        task.add_done_callback(lambda done: self._ended(stream_id, done))
        return gateway, task

    def _ended(self, stream_id: UUID, task: asyncio.Task[None]) -> None:
        found = self._running.get(stream_id)
        if found is not None and found[1] is task:
            del self._running[stream_id]
        if not task.cancelled() and task.exception() is not None:
            logger.error("pictures of %s broke", stream_id, exc_info=task.exception())


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, PictureGateways] = WeakKeyDictionary()


def picture_gateways(bus_url: str) -> PictureGateways:
    """Return the gateways of the running event loop; a web process has one, so one decoder a stream."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        _by_loop[loop] = PictureGateways(bus_url, lambda: connect(bus_url))
    return _by_loop[loop]
