"""A source that broke is not opened again while somebody else may have its one session."""

import threading
import time

import pytest

from omma_engine.capture.mailbox import Mailbox
from omma_engine.capture.reader import SourceReader
from omma_engine.clock import SystemClock
from omma_engine.errors import SourceError
from omma_engine.sources.base import Delivery, SourceInfo

LIMIT_S = 10.0


class BrokenSource:
    """Cannot be opened, and counts the tries."""

    def __init__(self) -> None:
        self.opened = 0
        self.tried = threading.Event()

    def open(self) -> SourceInfo:
        self.opened += 1
        self.tried.set()
        raise SourceError("refused")

    def read(self) -> Delivery:
        raise AssertionError("it was never open")

    def close(self) -> None:
        return


@pytest.mark.fault("F47")
def test_what_is_held_is_not_opened_again_until_it_is_let_go() -> None:
    source = BrokenSource()
    reader = SourceReader(lambda: source, Mailbox(), SystemClock())
    reader.is_held = True
    reader.start()
    assert source.tried.wait(LIMIT_S)

    source.tried.clear()
    time.sleep(1.2)  # twice the first wait between two tries
    assert source.opened == 1

    reader.is_held = False
    assert source.tried.wait(LIMIT_S)
    reader.stop()
