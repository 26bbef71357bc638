"""A packet loop that waits for its disk is spoken for; one that hangs elsewhere is not."""

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from omma_engine.capture.journal import Journal
from omma_engine.capture.vigil import PATIENCE_US, Vigil


class BlockedLoop:
    """Makes a vigil on a thread of its own, which then does `work` until the test lets go of it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self.beats: list[float] = []
        self._made = threading.Event()
        self._work = work
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._made.wait(5)

    def _run(self) -> None:
        self.vigil = Vigil(self.beats.append, now_us=0)
        self._made.set()
        self._work()

    def join(self) -> None:
        self._thread.join(5)


@pytest.mark.fault("F23")
def test_the_reading_thread_beats_while_the_disk_holds_up_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_disk, released = threading.Event(), threading.Event()
    write = os.write

    def slow_write(descriptor: int, data: Any) -> int:
        at_disk.set()
        released.wait(5)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", slow_write)
    journal = Journal(tmp_path / "journal" / "1.jsonl")
    loop = BlockedLoop(lambda: journal.append({"kind": "state"}))
    at_disk.wait(5)

    for now_us in (PATIENCE_US - 1, 2_000_000, 2_100_000, 3_100_000):
        loop.vigil.look(now_us)
    released.set()
    loop.join()

    assert loop.beats == [2.0, 3.1]


@pytest.mark.fault("F39")
def test_a_loop_that_hangs_elsewhere_stays_silent_and_is_written_down_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    released = threading.Event()
    loop = BlockedLoop(lambda: released.wait(5))

    with caplog.at_level(logging.ERROR):
        for now_us in range(0, 20_000_000, 1_000_000):
            loop.vigil.look(now_us)
    released.set()
    loop.join()

    assert loop.beats == []
    (record,) = caplog.records
    assert "released.wait" in record.getMessage()


def test_a_loop_that_turns_needs_no_one_to_speak_for_it() -> None:
    loop = BlockedLoop(lambda: None)
    loop.join()

    for now_us in range(0, 10_000_000, 500_000):
        loop.vigil.look(now_us)
        assert loop.vigil.turned(now_us) <= 0.5

    assert loop.beats == []
