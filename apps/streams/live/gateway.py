"""One muxer per stream and web process, shared by all of its viewers."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from uuid import UUID
from weakref import WeakKeyDictionary

from apps.streams.bus.async_reader import AsyncBusReader, AsyncReaders, connect
from apps.streams.bus.reading import BusItem
from apps.streams.live.viewer import Viewer
from omma_engine.errors import SourceUnsupportedError
from omma_engine.live.muxer import InitSegment, LiveFragment, LiveMuxer
from omma_engine.ports import DemandLevel
from omma_engine.types import CodecInfo, EncodedPacket

logger = logging.getLogger(__name__)

LINGER_S = 5.0  # so that a reload finds the muxer running
READ_S = 1.0
SILENT_S = 2.0
GOP_BYTES = 16 * 1024 * 1024


class LiveGateway:
    """Reads a stream from the bus while anybody watches, and hands every fragment to every viewer."""

    def __init__(self, reader: AsyncBusReader, *, linger_s: float = LINGER_S) -> None:
        self._reader = reader
        self._linger_s = linger_s
        self._muxer = LiveMuxer()
        self._viewers: set[Viewer] = set()
        self._init: InitSegment | None = None
        self._gop: list[LiveFragment] = []
        self._gop_bytes = 0
        self._problem = ""
        self._is_silent = False
        self._is_stopped = False
        self._heard_s = self._left_s = time.monotonic()

    @property
    def viewer_count(self) -> int:
        return len(self._viewers)

    def add(self, viewer: Viewer) -> None:
        """Let a viewer in, with the current GOP: its first picture does not wait for a keyframe."""
        self._viewers.add(viewer)
        if self._init is not None:
            viewer.begin(self._init)
        for fragment in self._gop:
            viewer.offer(fragment)
        if self._is_silent:
            viewer.say(self._waiting_word())

    def remove(self, viewer: Viewer) -> None:
        self._viewers.discard(viewer)
        self._left_s = time.monotonic()

    async def run(self) -> None:
        """Work until nobody has watched for a while."""
        try:
            while self._is_wanted():
                self._take(await self._reader.read(READ_S))
        finally:
            await self._reader.close()

    def stop(self) -> None:
        """End at once; also where the client library swallows a cancellation while it connects."""
        self._is_stopped = True

    def _is_wanted(self) -> bool:
        lingers = time.monotonic() - self._left_s < self._linger_s
        return not self._is_stopped and (bool(self._viewers) or lingers)

    def _take(self, items: Sequence[BusItem]) -> None:
        for item in items:
            try:
                if isinstance(item, CodecInfo):
                    self._muxer.set_codec(item)
                elif isinstance(item, EncodedPacket):
                    self._hand_out(self._muxer.mux(item))
            except SourceUnsupportedError as error:
                self._report(str(error))
        if not self._is_silent and time.monotonic() - self._heard_s > SILENT_S:
            self._is_silent = True
            self._tell_waiting()

    def _hand_out(self, made: Sequence[InitSegment | LiveFragment]) -> None:
        for part in made:
            if isinstance(part, InitSegment):
                self._init, self._gop, self._gop_bytes = part, [], 0
                for viewer in self._viewers:
                    viewer.begin(part)
                continue
            self._hold(part)
            for viewer in self._viewers:
                viewer.offer(part)
        if made:
            self._is_silent, self._problem, self._heard_s = False, "", time.monotonic()

    def _hold(self, fragment: LiveFragment) -> None:
        if fragment.is_keyframe:
            self._gop, self._gop_bytes = [], 0
        elif not self._gop:
            return
        self._gop.append(fragment)
        self._gop_bytes += len(fragment.data)
        if self._gop_bytes > GOP_BYTES:
            self._gop, self._gop_bytes = [], 0  # who comes now waits for the next keyframe

    def _report(self, problem: str) -> None:
        if problem != self._problem:
            logger.warning("live view: %s", problem)
            self._problem, self._is_silent = problem, True
            self._tell_waiting()

    def _tell_waiting(self) -> None:
        for viewer in self._viewers:
            viewer.say(self._waiting_word())

    def _waiting_word(self) -> dict[str, str]:
        state = "unsupported" if self._problem else "waiting"
        return {"type": "waiting", "state": state, "reason": self._problem}


class LiveGateways:
    """The gateways of one event loop; each is there from its first viewer until a while after its last."""

    def __init__(self, open_readers: Callable[[], AsyncReaders], *, linger_s: float = LINGER_S) -> None:
        self._open_readers = open_readers
        self._linger_s = linger_s
        self._readers: AsyncReaders | None = None
        self._running: dict[UUID, tuple[LiveGateway, asyncio.Task[None]]] = {}

    def join(self, stream_id: UUID, viewer: Viewer) -> None:
        found = self._running.get(stream_id)
        if found is None or found[1].done():
            found = self._start(stream_id)
        found[0].add(viewer)

    def leave(self, stream_id: UUID, viewer: Viewer) -> None:
        found = self._running.get(stream_id)
        if found is not None:
            found[0].remove(viewer)

    def gateway_of(self, stream_id: UUID) -> LiveGateway | None:
        found = self._running.get(stream_id)
        return found[0] if found is not None else None

    async def close(self) -> None:
        """End all gateways and connections."""
        tasks = [task for _, task in self._running.values()]
        for gateway, task in self._running.values():
            gateway.stop()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._readers is not None:
            await self._readers.close()
            self._readers = None

    def _start(self, stream_id: UUID) -> tuple[LiveGateway, asyncio.Task[None]]:
        if self._readers is None:
            self._readers = self._open_readers()
        gateway = LiveGateway(self._readers(stream_id, DemandLevel.EVERYTHING), linger_s=self._linger_s)
        task = asyncio.create_task(gateway.run(), name=f"live {stream_id}")
        task.add_done_callback(lambda done: self._ended(stream_id, done))
        self._running[stream_id] = gateway, task
        return gateway, task

    def _ended(self, stream_id: UUID, task: asyncio.Task[None]) -> None:
        found = self._running.get(stream_id)
        if found is not None and found[1] is task:
            del self._running[stream_id]
        if not task.cancelled() and task.exception() is not None:
            logger.error("live view of %s broke", stream_id, exc_info=task.exception())


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, LiveGateways] = WeakKeyDictionary()


def live_gateways(bus_url: str) -> LiveGateways:
    """Return the gateways of the running event loop; a web process has one, so one muxer a stream."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        _by_loop[loop] = LiveGateways(lambda: connect(bus_url))
    return _by_loop[loop]
