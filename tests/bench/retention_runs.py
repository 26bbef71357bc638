"""Let retention decide over an archive: `python -m tests.bench.retention_runs FACTS.json` prints JSON."""

import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import psutil
from django.db import connection
from django.test.utils import CaptureQueriesContext

PLANS = Path("build/plans")


class Meter:
    """Adds up how long statements take, from sending one until all its rows have come.

    `cpu_ms` is what the database's process computed meanwhile: the part that nobody else can slow.
    """

    def __init__(self) -> None:
        self.ms = 0.0
        self.cpu_ms = 0.0
        self.statements = 0
        self.hours = 0
        self.doomed = 0

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        begun_s = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.ms += (time.perf_counter() - begun_s) * 1000
            self.statements += 1


@contextmanager
def metered() -> Iterator[Meter]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        process = psutil.Process(cursor.fetchone()[0])
    meter, before = Meter(), process.cpu_times()
    with connection.execute_wrapper(meter):
        yield meter
    after = process.cpu_times()
    meter.cpu_ms = 1000 * (after.user + after.system - before.user - before.system)


def main(noted: Path) -> None:
    django.setup()
    facts = json.loads(noted.read_text())
    volume_id, now = UUID(facts["volume"]), datetime.fromisoformat(facts["now"])
    print(json.dumps(facts | _decisions(volume_id, now) | _parts(volume_id, now)))


def _decisions(volume_id: UUID, now: datetime) -> dict[str, Any]:
    """Look at everything once, as after a change of policy, and then at what a minute brings."""
    from apps.recordings import retention
    from apps.recordings.models import StoredHour

    StoredHour.objects.update(looked_at=None)
    runs = []
    while StoredHour.objects.filter(looked_at=None, hour__lt=now - timedelta(days=3)).exists():
        runs.append(_decide(volume_id, now))
    minutes = [_decide(volume_id, now + timedelta(minutes=n)) for n in (1, 2, 3)]
    tracemalloc.start()
    StoredHour.objects.update(looked_at=None)
    _decide(volume_id, now)
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    begun_s = time.perf_counter()
    retention.run(now)
    run_s = time.perf_counter() - begun_s
    longest, minute = max(runs, key=lambda one: one.ms), sorted(minutes, key=lambda one: one.ms)[1]
    return {
        "runs": len(runs),
        "hours": sum(one.hours for one in runs),
        "whole_ms": sum(one.ms for one in runs),
        "whole_cpu_ms": sum(one.cpu_ms for one in runs),
        "longest": vars(longest),
        "minute": vars(minute),
        "peak_mb": peak_mb,
        "run_s": run_s,
    }


def _decide(volume_id: UUID, now: datetime) -> Meter:
    """Decide as a run does, and delete nothing."""
    from apps.recordings import retention
    from apps.recordings.due_hours import due_looks, note_look
    from apps.recordings.keeping import read_keeping

    with metered() as meter:
        for look in due_looks(read_keeping().streams, [volume_id], now):
            meter.hours += (look.end - look.start) // timedelta(hours=1)
            meter.doomed += sum(len(batch) for batch in retention.doomed_by_age(look, [volume_id], now))
            note_look(look, [volume_id], now)
    return meter


def _parts(volume_id: UUID, now: datetime) -> dict[str, float]:
    from apps.recordings.retention_rows import _SUMS, oldest_of_volume, stored_bytes

    stored_bytes()
    with metered() as sums:
        stored_bytes()
    with metered() as oldest:
        list(islice(oldest_of_volume(volume_id), 1000))
    PLANS.mkdir(parents=True, exist_ok=True)
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + _SUMS)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    (PLANS / "retention-sums.txt").write_text(f"{_SUMS}\n{plan}\n")
    _write_plan_of_decision(volume_id, now)
    return {"sums_ms": sums.ms, "oldest_ms": oldest.ms}


def _write_plan_of_decision(volume_id: UUID, now: datetime) -> None:
    """Write how a week of a stream is looked at."""
    from apps.recordings import retention
    from apps.recordings.due_hours import Look
    from apps.recordings.keeping import read_keeping

    one = read_keeping().streams[0]
    look = Look(one, now - timedelta(days=37), now - timedelta(days=30))
    with CaptureQueriesContext(connection) as captured:
        for _batch in retention.doomed_by_age(look, [volume_id], now):
            pass
    sql = captured.captured_queries[-1]["sql"]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql.replace("%", "%%"))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    (PLANS / "retention-decision.txt").write_text(f"{sql}\n{plan}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
