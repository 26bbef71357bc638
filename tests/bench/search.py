"""Searching an archive: timelines, recordings, tracks and seeking, over millions of rows and real HTTP.

OMMA_BENCH_ROWS says how many segments and tracks there are (10 million by default, which takes about 20 GB
below the temporary folder while it runs). With OMMA_BENCH_ARCHIVE, a folder, the archive stays there and
later runs ask it again. The plans of the statements are written to build/plans/search.
"""

import http.client
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil

from omma.tree.environment import python
from tests.bench.archive.questions import Asker, Question
from tests.bench.archive.values import FILE_NAME, MIN_FREE_BYTES, bytes_for
from tests.bench.house import House, wait_for
from tests.bench.report import Row, load_now

ROWS = int(os.environ.get("OMMA_BENCH_ROWS") or 10_000_000)
KEPT = os.environ.get("OMMA_BENCH_ARCHIVE")
PLANS = Path("build/plans/search")
SAMPLES = 240
WARM_UP = 24
_FILL_TIMEOUT_S = 5000
_PLANS_TIMEOUT_S = 300
_TIMELINE_GOAL_MS = 100.0
_SEARCH_GOAL_MS = 50.0
_SEEK_GOAL_MS = 100.0


@dataclass(frozen=True, slots=True)
class Timed:
    """How long each answer took, in milliseconds, and the slowest kind of question."""

    all_ms: list[float]
    note: str

    @property
    def p95(self) -> float:
        return sorted(self.all_ms)[int(len(self.all_ms) * 0.95)]


def measure() -> list[Row]:
    """Return 95th percentiles in milliseconds, from the request to the last byte of the answer."""
    kept = Path(KEPT) if KEPT else None
    if kept is None or not _facts_in(kept).exists():
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if free < bytes_for(ROWS) + MIN_FREE_BYTES:
            return [
                Row("search", None, "ms", note=f"not run: {free >> 30} GB are free, too few for {ROWS} rows")
            ]
        if kept is not None:
            shutil.rmtree(kept, ignore_errors=True)  # one that was not filled to its end
    with House((), kept=kept, is_durable=False) as house:
        folder = _facts_in(house.folder).parent
        facts = _filled(house, folder)
        filled = f"{facts['segments']:,} segments, {facts['tracks']:,} tracks, {facts['bytes'] >> 20:,} MB"
        client = _Client(house, facts)
        rows = list(_measured(house, client, facts, folder))
        _write_plans(house, facts)
    return [*rows, Row("archive", facts["segments"], "segments", None, filled)]


def _facts_in(house_folder: Path) -> Path:
    return house_folder / "data" / "archive" / "facts.json"


def _filled(house: House, folder: Path) -> dict[str, Any]:
    """Return what is in the archive; fill it where it has not been filled before."""
    noted = folder / "facts.json"
    if not noted.exists():
        folder.mkdir()
        begun_s = time.monotonic()
        command = python("-m", "tests.bench.archive.fill", str(ROWS), str(folder))
        done = subprocess.run(
            command, env=house.environment, stdout=subprocess.PIPE, timeout=_FILL_TIMEOUT_S, check=True
        )
        house.rows("CHECKPOINT")
        noted.write_bytes(done.stdout.splitlines()[-1])
        print(f"filled in {time.monotonic() - begun_s:.0f} s", flush=True)
    facts: dict[str, Any] = json.loads(noted.read_text())
    return facts


class _Client:
    """A browser's connection, kept open, of one of two logins."""

    def __init__(self, house: House, facts: dict[str, Any]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._server = house.start(
            "web", python("-m", "omma.web", "--host", "127.0.0.1", "--port", str(self._port))
        )
        self._house = house
        self._cookies = facts["cookies"]
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        wait_for("web server", self._answers, timeout_s=60)

    def ms(self, address: str, login: str, *, first_byte_of: str | None = None) -> tuple[float, bytes]:
        """Return how long an answer took, and the answer; of a range only until its first byte."""
        headers = {"Cookie": self._cookies[login]} | ({"Range": first_byte_of} if first_byte_of else {})
        begun_s = time.perf_counter()
        self._connection.request("GET", address, headers=headers)
        response = self._connection.getresponse()
        body = response.read(1) if first_byte_of else response.read()
        took_ms = (time.perf_counter() - begun_s) * 1000
        if first_byte_of:
            response.read()
        if response.status not in {200, 206}:
            raise RuntimeError(f"{address}: {response.status} {body[:300]!r}")
        return took_ms, body

    def cpu_ms(self) -> float:
        """Return what web server and database have computed so far: the part that nobody else can slow."""
        postgres = psutil.Process(self._house.postgres_pid)
        processes = [psutil.Process(self._server.pid), *postgres.children(recursive=True)]
        times = [one.cpu_times() for one in processes]
        return 1000 * sum(one.user + one.system for one in times)

    def _answers(self) -> bool | None:
        try:
            self.ms("/api/v1/system/health/", "member")
        except (OSError, http.client.HTTPException, RuntimeError):
            self._connection.close()
            return None
        return True


def _measured(house: House, client: _Client, facts: dict[str, Any], folder: Path) -> Iterator[Row]:
    asker = Asker(facts)
    goals = (
        ("timeline of a day", asker.days, _TIMELINE_GOAL_MS),
        ("search of recordings", asker.recordings, _SEARCH_GOAL_MS),
        ("search of tracks", asker.tracks, _SEARCH_GOAL_MS),
    )
    for name, questions, goal in goals:
        for login in ("member", "superuser"):
            _asked(client, questions(WARM_UP), login)
            timed = _asked(client, questions(SAMPLES), login)
            yield Row(f"{name}, p95, as {login}", timed.p95, "ms", goal, timed.note)
    timed = _asked(client, asker.days(40, streams=9), "member")
    yield Row("timeline of a day of 9 streams, p95", timed.p95, "ms", None, timed.note)
    yield _seeking(house, client, asker, facts, folder)
    for question in [*asker.statistics(), _spectrax(facts)]:
        timed = _asked(client, [question] * 3, "member")
        yield Row(f"{question.name}, median of 3", statistics.median(timed.all_ms), "ms", None, timed.note)


def _asked(client: _Client, questions: Iterable[Question], login: str) -> Timed:
    by_name: dict[str, list[float]] = {}
    before_ms = client.cpu_ms()
    for question in questions:
        by_name.setdefault(question.name, []).append(client.ms(question.address, login)[0])
    slowest = max(by_name, key=lambda name: max(by_name[name]))
    every = [one for listed in by_name.values() for one in listed]
    cpu_ms = (client.cpu_ms() - before_ms) / len(every)
    note = (
        f"median {statistics.median(every):.1f} ms, slowest {max(every):.0f} ms ({slowest}), "
        f"{cpu_ms:.1f} ms of CPU an answer; {load_now()}"
    )
    return Timed(every, note)


def _spectrax(facts: dict[str, Any]) -> Question:
    address = f"/compat/spectrax/{facts['account']}/api/recordings/stats"
    return Question("SpectraX's statistics over 20,000 recordings", address)


def _seeking(house: House, client: _Client, asker: Asker, facts: dict[str, Any], folder: Path) -> Row:
    """Time what a player does after a jump: the playlist from there, and the first byte of its first part."""
    chance = random.Random(2)
    all_ms = []
    for stream_id, start in _places(house, asker, facts["streams"], chance):
        _link(house, folder, stream_id, start)
        first = start + timedelta(seconds=chance.randrange(50))
        query = f"start={first:%Y-%m-%dT%H:%M:%SZ}&end={first + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"
        list_ms, body = client.ms(f"/media/v1/streams/{stream_id}/playlist.m3u8?{query}", "member")
        address, (size, offset) = _first_part(body.decode())
        span = f"bytes={offset}-{offset + size - 1}"
        all_ms.append(list_ms + client.ms(address, "member", first_byte_of=span)[0])
    all_ms = sorted(all_ms[WARM_UP:])
    middle = statistics.median(all_ms)
    note = f"playlist and first byte; median {middle:.1f} ms, slowest {all_ms[-1]:.0f} ms; {load_now()}"
    return Row("seek to first byte, p95", all_ms[int(len(all_ms) * 0.95)], "ms", _SEEK_GOAL_MS, note)


def _places(
    house: House, asker: Asker, streams: Sequence[str], chance: random.Random
) -> Iterator[tuple[str, Any]]:
    for _ in range(SAMPLES // 2 + WARM_UP):
        stream_id = chance.choice(streams)
        query = (
            "SELECT start FROM streams_segment WHERE stream_id = %s AND start >= %s ORDER BY start LIMIT 1"
        )
        (found,) = house.rows(query, [stream_id, asker.moment() - timedelta(hours=1)])
        yield stream_id, found[0]


def _link(house: House, folder: Path, stream_id: str, start: Any) -> None:
    """Give the segments around a place their file."""
    query = "SELECT path FROM streams_segment WHERE stream_id = %s AND start >= %s AND start < %s"
    for (path,) in house.rows(query, [stream_id, start, start + timedelta(minutes=2)]):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            os.link(folder / FILE_NAME, target)


def _first_part(playlist: str) -> tuple[str, tuple[int, int]]:
    lines = playlist.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("#EXT-X-BYTERANGE:"))
    size, offset = (int(part) for part in lines[at].removeprefix("#EXT-X-BYTERANGE:").split("@"))
    return lines[at + 1], (size, offset)


def _write_plans(house: House, facts: dict[str, Any]) -> None:
    asker = Asker(facts, seed=3)
    questions = [
        *asker.days(1), *asker.days(1, streams=9), *asker.recordings(12), *asker.tracks(8),
        *asker.statistics(), _spectrax(facts),
    ]  # fmt: skip
    listed = [
        (f"{question.name}, {login}", facts["cookies"][login], question.address)
        for question in questions
        for login in ("member", "superuser")
    ]
    asked = house.data_dir / "questions.json"
    asked.write_text(json.dumps(listed))
    shutil.rmtree(PLANS, ignore_errors=True)
    command = python("-m", "tests.bench.archive.plans", str(asked), str(PLANS.absolute()))
    subprocess.run(command, env=house.environment, timeout=_PLANS_TIMEOUT_S, check=True)
