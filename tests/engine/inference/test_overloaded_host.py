"""A host whose pictures take very long is slow, and neither an orphan nor stuck."""

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from omma_engine.inference import line
from omma_engine.inference.host import ModelHost
from omma_engine.inference.line import SupervisorLine
from omma_engine.inference.workbench import Workbench


class Clock:
    now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


class SlowBench:
    """Takes nine seconds for each round, over four pictures."""

    feeds: tuple[()] = ()
    analytics = 0

    def __init__(self, host: ModelHost, clock: Clock, after_round: Callable[[ModelHost], None]) -> None:
        self._host, self._clock, self._after_round = host, clock, after_round

    def analyse_waiting(self) -> None:
        for _ in range(4):
            self._clock.now_s += 2.25
            self._host.show_life()
        self._after_round(self._host)

    def look_around(self) -> None: ...
    def stop(self) -> None: ...


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(line, "time", made)
    return made


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def said(ours: socket.socket) -> list[dict[str, Any]]:
    return [json.loads(text) for text in ours.recv(1 << 16).splitlines()]


def test_a_long_round_shows_life_and_hears_what_was_said_meanwhile(
    clock: Clock, ends: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = ends
    rounds = iter(range(3))

    def after_round(host: ModelHost) -> None:
        ours.sendall(b'{"do": "beat"}\n')
        if next(rounds) == 2:
            host.request_stop("planned")

    host = ModelHost(
        SupervisorLine(theirs), lambda host: cast("Workbench", SlowBench(host, clock, after_round))
    )

    assert host.run() == 0
    words = said(ours)
    assert words[-1] == {"say": "bye", "reason": "planned"}
    assert [one["say"] for one in words[:-1]] == ["beat"] * 12


def test_a_silent_supervisor_is_noticed_all_the_same(
    clock: Clock, ends: tuple[socket.socket, socket.socket]
) -> None:
    host = ModelHost(
        SupervisorLine(ends[1]), lambda host: cast("Workbench", SlowBench(host, clock, lambda _host: None))
    )

    assert host.run() == 0
    assert all(one["say"] == "beat" for one in said(ends[0]))
