"""What a person sees while Omma starts and runs."""

import contextlib
import io
import sys
import time
from collections.abc import Iterator
from typing import TextIO

from omma_engine.redaction import redact


class Console:
    """Lines on the terminal, without secrets."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="replace")  # not every terminal knows every letter

    def say(self, text: str) -> None:
        """Print a line."""
        with contextlib.suppress(OSError):  # the terminal may be gone; stopping must go on
            print(redact(text), file=self._out, flush=True)

    def warn(self, text: str) -> None:
        """Print what somebody may want to act on."""
        self.say(f"Warning: {text}")

    def member(self, name: str, text: str) -> None:
        """Print a line of one part of the tree."""
        self.say(f"[{name}] {text}")

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what is being done, and how long it took."""
        begun_s = time.monotonic()
        self.say(f"{text} …")
        yield
        self.say(f"{text}: {time.monotonic() - begun_s:.1f} s")
