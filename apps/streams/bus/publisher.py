"""Puts packets on the bus while somebody reads: the engine's `PacketPublisher`, for a capture child.

`connect` may be called before a fork: threads and connections are made with the first codec or packet. Two
threads serve all streams of a process. The *watcher* sleeps on a bare subscription until a reader comes, and
then reads what readers want, until nobody has read for a while; the *sender*, started with the first reader,
sleeps until there is something that a reader wants. The packet loop itself only appends to a list.
"""

import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from apps.streams.bus import secret_address
from apps.streams.bus.backoff import Backoff
from apps.streams.bus.line import BusLine, Command, RefusedError
from apps.streams.bus.outlet import Batch, Outlet, OutletFigures
from apps.streams.bus.wakes import WakeLine, names_one
from apps.streams.bus.wire import (
    WAKE_CHANNEL,
    EntryId,
    Fields,
    decode_demand,
    demand_key,
    packets_key,
    sizes_key,
)
from omma_engine.clock import Clock, SystemClock
from omma_engine.ports import DemandLevel
from omma_engine.types import CodecInfo, EncodedPacket

logger = logging.getLogger(__name__)

POLL_READ_S = 1.0  # while somebody reads: to see readers go
POLL_IDLE_S = 5.0  # while nobody reads: in case a wake-up got lost
UNREAD_S = 10.0  # after so long without a reader the watcher goes back to sleep
POLL_LEAST_S = 0.05
LOCAL_EXPIRY_S = 5.0
KEY_EXPIRY_S = 30
MAX_SIZES_KEPT = 25
CLOSE_S = 1.0
TIMEOUT_S = 1.0


def connect(url: str, *, clock: Clock | None = None) -> "PublisherHub":
    """Return a factory of `PacketPublisher`s; all that it makes share two connections and two threads."""
    return PublisherHub(secret_address.find(url), clock=clock or SystemClock())


class StreamPublisher:
    """One stream of a hub."""

    def __init__(self, hub: "PublisherHub", outlet: Outlet) -> None:
        self._hub = hub
        self._outlet = outlet

    def set_codec(self, info: CodecInfo) -> None:
        self._hub.start()
        self._outlet.set_codec(info)

    def offer(self, packet: EncodedPacket) -> None:
        if self._outlet.offer(packet):
            self._hub.wake_sender()

    def close(self) -> None:
        self._hub.remove(self._outlet)

    @property
    def level(self) -> DemandLevel:
        return self._outlet.level

    @property
    def figures(self) -> OutletFigures:
        return self._outlet.figures


class PublisherHub:
    """The connections and threads that a process's publishers share."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self._url = url
        self._clock = clock
        self._outlets: dict[UUID, Outlet] = {}
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._closed = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._wakes = WakeLine(url)
        self._heard_s = float("-inf")

    def __call__(self, stream_id: UUID) -> StreamPublisher:
        outlet = Outlet(stream_id, clock=self._clock)
        with self._lock:
            self._outlets[stream_id] = outlet
        return StreamPublisher(self, outlet)

    def start(self) -> None:
        """Start watching unless that runs; called in the process that publishes, after any fork."""
        self._start_thread("bus-watcher", self._watch)

    def _start_thread(self, name: str, run: Callable[[], None]) -> None:
        with self._lock:
            if name in self._threads or self._closed.is_set():
                return
            self._threads[name] = thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()

    def wake_sender(self) -> None:
        self._work.set()

    def remove(self, outlet: Outlet) -> None:
        """Take a stream out; the last one stops the threads, bounded to a second."""
        with self._lock:
            self._outlets.pop(outlet.stream_id, None)
            if self._outlets or self._closed.is_set():
                return
            self._closed.set()
        self._work.set()
        self._wakes.close()
        deadline = time.monotonic() + CLOSE_S
        for thread in self._threads.values():
            thread.join(max(0.0, deadline - time.monotonic()))

    # --- the watcher ----------------------------------------------------------------------------------

    def _watch(self) -> None:
        backoff = Backoff()
        while not self._closed.is_set():
            try:
                self._wakes.wait(self._stream_ids)
                if not self._closed.is_set():
                    self._watch_readers(backoff)
            except OSError as error:
                logger.debug("demand of the bus cannot be read: %s", error)
                if time.monotonic() - self._heard_s > LOCAL_EXPIRY_S:
                    self._expire_demand()
                self._closed.wait(backoff.next_s())
            except Exception:
                logger.exception("the watcher of the bus goes on")
                self._closed.wait(backoff.next_s())

    def _watch_readers(self, backoff: Backoff) -> None:
        """Follow what readers want, until there has been none for a while."""
        with (
            BusLine(self._url, timeout_s=TIMEOUT_S) as line,
            BusLine(self._url, timeout_s=TIMEOUT_S) as wakes,
        ):
            wakes.subscribe(WAKE_CHANNEL)
            read_s = time.monotonic()
            while not self._closed.is_set():
                self._read_demand(line)
                backoff.reset()
                self._heard_s = time.monotonic()
                if self._is_read():
                    read_s = self._heard_s
                elif self._heard_s - read_s > UNREAD_S:
                    return
                self._wait_for_wake(wakes)

    def _is_read(self) -> bool:
        return any(outlet.level is not DemandLevel.NONE for outlet in self._snapshot())

    def _wait_for_wake(self, wakes: BusLine) -> None:
        """Sleep until one of our streams gets a reader, or until it is time to look again."""
        is_read = self._is_read()
        deadline = time.monotonic() + (POLL_READ_S if is_read else POLL_IDLE_S)
        while (left_s := deadline - time.monotonic()) > 0 and not self._closed.is_set():
            name = wakes.hear(min(left_s, CLOSE_S / 2))
            if name is not None and names_one(name, self._stream_ids()):
                self._closed.wait(POLL_LEAST_S if is_read else 0)
                return

    def _read_demand(self, line: BusLine) -> None:
        outlets = self._snapshot()
        commands: list[Command] = [("HGETALL", demand_key(outlet.stream_id)) for outlet in outlets]
        time_of_server, *demands = line.ask_all([("TIME",), *commands])
        for answer in (time_of_server, *demands):
            if isinstance(answer, RefusedError):
                raise answer
        seconds, micros = (int(part) for part in time_of_server)
        now_ms = seconds * 1000 + micros // 1000
        for outlet, demand in zip(outlets, demands, strict=True):
            wanted = [decode_demand(raw) for raw in demand[1::2]]
            level = max(
                (level for level, expiry_ms in wanted if expiry_ms > now_ms), default=DemandLevel.NONE
            )
            if outlet.set_level(level):
                self._start_thread("bus-sender", self._send)
                self._work.set()

    def _expire_demand(self) -> None:
        for outlet in self._snapshot():
            outlet.set_level(DemandLevel.NONE)

    # --- the sender -----------------------------------------------------------------------------------

    def _send(self) -> None:
        backoff = Backoff()
        line: BusLine | None = None
        while not self._closed.is_set():
            self._work.wait()
            self._work.clear()
            batches = [batch for outlet in self._snapshot() if (batch := outlet.take()) is not None]
            try:
                line = line or BusLine(self._url, timeout_s=TIMEOUT_S)
                self._write(line, batches)
                backoff.reset()
                continue
            except OSError as error:
                logger.debug("the bus is away: %s", error)
            except Exception:
                logger.exception("the sender of the bus goes on")
            if line is not None:
                line.close()
                line = None
            self._give_up(batches)
            self._closed.wait(backoff.next_s())
        if line is not None:
            self._wake_watcher(line)
            line.close()

    def _wake_watcher(self, line: BusLine) -> None:
        """Closing: the watcher sleeps on its subscription, and this is the quickest way to wake it."""
        try:
            line.ask("PUBLISH", WAKE_CHANNEL, "")
        except OSError as error:
            logger.debug("the watcher ends by itself: %s", error)

    def _write(self, line: BusLine, batches: list[Batch]) -> None:
        for batch in batches:
            answers = line.ask_all(commands_for(batch))
            refusals = [answer for answer in answers if isinstance(answer, RefusedError)]
            if refusals:
                self._refused(line, batch, refusals[-1])

    def _refused(self, line: BusLine, batch: Batch, error: RefusedError) -> None:
        """The server is full, or holds newer ids than ours (its clock or ours stepped): go on above them."""
        logger.debug("the bus refused packets of %s: %s", batch.stream_id, error)
        (newest,) = line.ask_all([("XREVRANGE", packets_key(batch.stream_id), "+", "-", "COUNT", "1")])
        floor = EntryId.parse(newest[0][0]).gop if isinstance(newest, list) and newest else 0
        outlet = self._outlets.get(batch.stream_id)
        if outlet is not None:
            outlet.lost(batch, floor=floor)

    def _give_up(self, batches: list[Batch]) -> None:
        for batch in batches:
            outlet = self._outlets.get(batch.stream_id)
            if outlet is not None:
                outlet.lost(batch)

    def _stream_ids(self) -> list[UUID]:
        return [outlet.stream_id for outlet in self._snapshot()]

    def _snapshot(self) -> list[Outlet]:
        with self._lock:
            return list(self._outlets.values())


def commands_for(batch: Batch) -> list[Command]:
    """Return what writes a batch, in order."""
    packets, sizes = packets_key(batch.stream_id), sizes_key(batch.stream_id)
    commands: list[Command] = [("DEL", packets, sizes)] if batch.is_end else []
    commands += [("XADD", packets, str(entry_id), *_flat(fields)) for entry_id, fields in batch.entries]
    if batch.sizes is not None:
        commands.append(("XADD", sizes, "MAXLEN", str(MAX_SIZES_KEPT), "*", *_flat(batch.sizes)))
        commands.append(("EXPIRE", sizes, str(KEY_EXPIRY_S)))
    if batch.trim_before is not None:
        commands.append(("XTRIM", packets, "MINID", str(batch.trim_before)))
    if any(entry_id.index % 32 == 0 for entry_id, _ in batch.entries):
        commands.append(("EXPIRE", packets, str(KEY_EXPIRY_S)))
    return commands


def _flat(fields: Fields) -> list[bytes]:
    return [part for field in fields.items() for part in field]
