"""The reading thread of a child: opens the source, reads it, and hands what came to the packet loop.

It blocks in FFmpeg or on the network for as long as the drivers' time limits allow; the packet loop never
does. It does nothing else: a thread that wakes for every packet runs with cold caches each time, and what is
done for several packets at once costs about half. For the same reason it pauses after it has caught up with
a TCP stream that nobody watches: the kernel holds what comes meanwhile. The arrival clock needs one packet of
every round whose arrival is known: the last one, where the source knows when it came, and otherwise the
packet that the reader caught up with, which it waited for.
"""

import logging
import threading
import time
from collections.abc import Callable

from omma_engine.capture.backoff import Backoff
from omma_engine.capture.causes import state_after
from omma_engine.capture.door import Door, wait_at
from omma_engine.capture.mailbox import Broken, Mailbox, Opened
from omma_engine.clock import Clock
from omma_engine.errors import SourceEndedError, SourceError, SourceStalledError, SourceUnreachableError
from omma_engine.ports import DemandLevel
from omma_engine.sources.base import PacketSource, SourceInfo

logger = logging.getLogger(__name__)

_HELD_S = 0.2
_HANG_US = 45_000_000
_PAUSE_S = {DemandLevel.NONE: 0.2, DemandLevel.KEYFRAMES: 0.1, DemandLevel.EVERYTHING: 0.0}
_CAUGHT_UP_US = 3_000
_NO_PAUSE_BEFORE_US = 2_000_000


class SourceReader:
    """Reads one source until it is stopped, and again after each failure."""

    def __init__(
        self,
        make_source: Callable[[], PacketSource],
        mailbox: Mailbox,
        clock: Clock,
        door: Door | None = None,
    ) -> None:
        self._make_source = make_source
        self._door = door
        self._mailbox = mailbox
        self._clock = clock
        self._backoff = Backoff()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="source-reader", daemon=True)
        self._alive_us = clock.monotonic_us()
        self._opened_us: int | None = None
        self._is_waiting = False
        self.demand = DemandLevel.NONE
        """Set by the packet loop: what the bus's readers want, and so how long packets may wait."""
        self.rings = False
        """Whether it tells the packet loop to look, some times a second, by itself."""
        self.is_held = False
        """Set by the packet loop: a source that broke is not opened again as long as this is true."""
        self.on_read: Callable[[int], None] = _ignore
        """Called after each read with the monotonic time; set before `start`."""
        self.on_round: Callable[[], None] = _stay_silent
        """Called when the packet loop should take what has come; set before `start`."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; it may still be blocked in a read, and is not waited for."""
        self._stopping.set()

    @property
    def is_hung(self) -> bool:
        """Return whether the thread is stuck where its time limits should have freed it, or has died."""
        if self._is_waiting or self._stopping.is_set():
            return False
        return not self._thread.is_alive() or self._clock.monotonic_us() - self._alive_us > _HANG_US

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._opened_us = None
            error = self._session()
            self._is_waiting = True
            if self._stopping.is_set():
                return
            self._backoff.healthy_for(self._open_for_s())
            if isinstance(error, SourceEndedError):
                self._mailbox.put(Broken(error, state_after(error)))
                return
            wait_s = self._backoff.after(error)
            self._mailbox.put(Broken(error, state_after(error), wait_s))
            self._wait_after(error, wait_s)
            self._alive_us = self._clock.monotonic_us()
            self._is_waiting = False

    def _open_for_s(self) -> float:
        if self._opened_us is None:
            return 0.0
        return (self._clock.monotonic_us() - self._opened_us) / 1_000_000

    def _wait_after(self, error: SourceError, wait_s: float) -> None:
        if self._door is not None and isinstance(error, (SourceUnreachableError, SourceStalledError)):
            wait_at(self._door, wait_s, self._stopping.wait)
        else:
            self._stopping.wait(wait_s)
        while self.is_held and not self._stopping.wait(_HELD_S):
            continue

    def _session(self) -> SourceError:
        """Read the source from its opening to its failure, which is returned."""
        source: PacketSource | None = None
        try:
            source = self._make_source()
            info = source.open()
            self._mailbox.put(Opened(info))
            self._read(source, info)
        except SourceError as error:
            return error
        except Exception as error:
            logger.exception("reading the source failed in a way that no driver foresees")
            return SourceError(f"unforeseen: {type(error).__name__}")
        finally:
            self.rings = False
            if source is not None:
                source.close()
        return SourceError("the reading was stopped")

    def _read(self, source: PacketSource, info: SourceInfo) -> None:
        self._opened_us = opened_us = before_us = self._clock.monotonic_us()
        while not self._stopping.is_set():
            self._mailbox.deliver(source.read())
            self._alive_us = after_us = self._clock.monotonic_us()
            self.on_read(after_us)
            has_caught_up = info.knows_arrivals or after_us - before_us >= _CAUGHT_UP_US
            may_pause = info.may_pause and has_caught_up and after_us - opened_us > _NO_PAUSE_BEFORE_US
            pause_s = _PAUSE_S[self.demand] if may_pause else 0.0
            self.rings = pause_s > 0
            if pause_s or self.demand > DemandLevel.NONE:
                self.on_round()
            if pause_s:
                time.sleep(pause_s)
                after_us = self._clock.monotonic_us()
            before_us = after_us


def _ignore(_: int) -> None:
    """Nobody watches."""


def _stay_silent() -> None:
    """Nobody wants to be told."""
