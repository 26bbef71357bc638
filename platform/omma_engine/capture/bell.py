"""What the reading thread rings when the packet loop should look into the mailbox."""

import contextlib
import os


class Bell:
    """A pipe that a `select` can wait for. Rung by any thread, hushed by the one that waits."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)

    def fileno(self) -> int:
        return self._reader

    def ring(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it rings already
            os.write(self._writer, b"!")

    def hush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def __del__(self) -> None:
        os.close(self._reader)
        os.close(self._writer)
