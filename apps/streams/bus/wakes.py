"""Sleeping until a stream has a reader: what children that nobody watches do, most of the time."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from apps.streams.bus.line import BusLine
from apps.streams.bus.wire import WAKE_CHANNEL, demand_key

ASK_EVERY_S = 5.0  # in case a wake-up got lost, or a stream was added
_TIMEOUT_S = 1.0


class WakeLine:
    """Waits in one thread; `close` may be called from any."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._subscription: BusLine | None = None
        self._is_closed = False

    def wait(self, streams: Callable[[], Sequence[UUID]]) -> None:
        """Return when one of these streams may have a reader, or after `close`.

        Raises `OSError` when the server is away or refuses.
        """
        with BusLine(self._url, timeout_s=_TIMEOUT_S) as subscription, self._interruptible(subscription):
            subscription.subscribe(WAKE_CHANNEL)
            is_wanted = self._is_read(streams())  # asked after subscribing: nobody can come unnoticed
            while not is_wanted and not self._is_closed:
                try:
                    name = subscription.hear(ASK_EVERY_S)
                except ConnectionError:
                    if self._is_closed:
                        return
                    raise
                is_wanted = self._is_read(streams()) if name is None else names_one(name, streams())

    def close(self) -> None:
        """End the wait, now and for ever."""
        with self._lock:
            self._is_closed = True
            if self._subscription is not None:
                self._subscription.interrupt()

    def _is_read(self, stream_ids: Sequence[UUID]) -> bool:
        """Ask whether anybody has stated a demand; it may have expired."""
        if self._is_closed or not stream_ids:
            return False
        with BusLine(self._url, timeout_s=_TIMEOUT_S) as line:
            return bool(line.ask("EXISTS", *(demand_key(stream_id) for stream_id in stream_ids)))

    @contextmanager
    def _interruptible(self, subscription: BusLine) -> Iterator[None]:
        """Let `close` end a wait on this connection."""
        with self._lock:
            self._subscription = subscription
        try:
            yield
        finally:
            with self._lock:
                self._subscription = None


def names_one(name: bytes, stream_ids: Sequence[UUID]) -> bool:
    """Return whether a wake-up is for one of these streams."""
    return any(str(stream_id).encode() == name for stream_id in stream_ids)
