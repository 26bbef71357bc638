"""Waiting for whatever comes first, and being woken from any thread."""

import os
import select
from collections.abc import Iterable


class Waker:
    """A pipe to wake one waiting thread."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def wake(self) -> None:
        """End the wait; may be called from any thread, also after `close`."""
        try:
            os.write(self._writer, b"!")
        except OSError:  # it is awake already, or has ended
            return

    def wait(self, descriptors: Iterable[int], timeout_s: float) -> set[int]:
        """Wait until woken or one of the descriptors is readable, and return those that are."""
        poller = select.poll()
        poller.register(self._reader, select.POLLIN)
        for descriptor in descriptors:
            poller.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poller.poll(timeout_s * 1000)}
        if self._reader in ready:
            os.read(self._reader, 4096)
        return ready - {self._reader}

    def close(self) -> None:
        reader, writer, self._reader, self._writer = self._reader, self._writer, -1, -1
        if reader >= 0:
            os.close(reader)
            os.close(writer)
