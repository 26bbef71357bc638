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
    from apps.recordings import retention
    from apps.recordings.keeping import read_keeping

    keeping = read_keeping()
    for one in keeping.streams[:2]:  # what a running database has in memory already
        list(retention.doomed_by_age(one, [volume_id], now))
    with metered() as whole:
        doomed = [
            each.segment_id
            for one in keeping.streams
            for batch in retention.doomed_by_age(one, [volume_id], now)
            for each in batch
        ]
    with metered() as minute:
        for one in keeping.streams:
            list(retention.doomed_by_age(one, [volume_id], now, lately=True))
    tracemalloc.start()
    for one in keeping.streams[:4]:
        for _batch in retention.doomed_by_age(one, [volume_id], now):
            pass
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    begun_s = time.perf_counter()
    retention.run(now)
    return {
        "whole_ms": whole.ms,
        "whole_cpu_ms": whole.cpu_ms,
        "whole_statements": whole.statements,
        "doomed": len(doomed),
        "minute_ms": minute.ms,
        "minute_cpu_ms": minute.cpu_ms,
        "minute_statements": minute.statements,
        "peak_mb": peak_mb,
        "whole_run_s": time.perf_counter() - begun_s,
    }


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
    """Write how a stream's newest four weeks are looked at."""
    from apps.recordings import retention
    from apps.recordings.keeping import read_keeping

    one = read_keeping().streams[0]
    with CaptureQueriesContext(connection) as captured:
        for _batch in retention.due_footage(one, (now - timedelta(days=28), now), [volume_id], now):
            pass
    sql = captured.captured_queries[-1]["sql"]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql.replace("%", "%%"))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    (PLANS / "retention-decision.txt").write_text(f"{sql}\n{plan}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
