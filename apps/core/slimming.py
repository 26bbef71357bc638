"""A worker gives back what it needed to start."""

import threading

from omma_engine.memory import slim

SETTLED_S = 15.0
"""After so long, all that is needed only once has been."""


class Slimming:
    """A component of a worker; it does its work once, in a thread of its own."""

    def __init__(self) -> None:
        self._timer = threading.Timer(SETTLED_S, slim)
        self._timer.daemon = True

    def start(self) -> None:
        self._timer.start()

    def stop(self) -> None:
        self._timer.cancel()
