"""Fill a database and run retention: `python -m tests.bench.retention_archive ROWS` prints JSON."""

import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import django
from django.db import connection

PLANS = Path("build/plans")
ROWS_A_STREAM = 46_320  # two days, half of five, a third of 83, in minutes
DAYS = 90

_SEGMENTS = """
INSERT INTO streams_segment (id, account_id, camera_id, stream_id, volume_id, epoch, sequence, start, "end",
    start_ticks, time_base_num, time_base_den, rate_ppm, clock, error_us, state, is_transient, is_damaged,
    path, codec, width, height, has_audio, init_size, durable_bytes, sha256, fragments)
SELECT (lpad(to_hex((extract(epoch FROM made.start) * 1000)::bigint), 12, '0') || '7'
        || substr(md5(made.n::text), 1, 3) || '8' || substr(md5(%(stream)s || made.n::text), 1, 15))::uuid,
    %(account)s, %(camera)s, %(stream)s::uuid, %(volume)s, 1, made.n, made.start,
    made.start + interval '1 minute', 0, 1, 90000, 0, 'arrival', 0, 'closed', false, false,
    'segments/' || %(stream)s || '/' || made.n || '.mp4', 'h264', 1920, 1080, false, 900, 30000000,
    repeat('ab', 32),
    (SELECT jsonb_agg(jsonb_build_array(i * 1000000, 1000000, 900 + i * 500000, 500000, 1))
     FROM generate_series(0, 59) AS i)
FROM (SELECT n, %(now)s::timestamptz - n * interval '1 minute' AS start
      FROM generate_series(1, %(minutes)s) AS n
      WHERE n <= 2880 OR (n <= 10080 AND n %% 6 <= 2) OR n %% 6 <= 1) made
"""
_RECORDINGS = """
INSERT INTO recordings_recording (id, created_at, updated_at, account_id, camera_id, stream_id, number, name,
    state, wanted_start, start, "end", cause_kind, cause_name, labels, is_held, thumbnail)
SELECT gen_random_uuid(), now(), now(), %(account)s, %(camera)s, %(stream)s, %(first)s + n, '', 'done',
    start, start, start + interval '100 seconds', 'rule', '', '["person"]', n %% 600 = 0, ''
FROM (SELECT n, %(now)s::timestamptz - (n - 0.9) * interval '1 minute' AS start
      FROM generate_series(7, %(minutes)s) AS n WHERE n %% 6 = 1) made
"""
_MINUTES = """
INSERT INTO inference_minute_summary (account_id, camera_id, stream_id, minute, motion, labels)
SELECT %(account)s, %(camera)s, %(stream)s, %(now)s::timestamptz - n * interval '1 minute',
    CASE WHEN n %% 6 <= 2 THEN 0.3 ELSE 0 END, '{}'
FROM generate_series(1, %(minutes)s) AS n
"""


class Meter:
    """Adds up how long statements take, from sending one until all its rows have come."""

    def __init__(self) -> None:
        self.ms = 0.0
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
    meter = Meter()
    with connection.execute_wrapper(meter):
        yield meter


def main(rows: int) -> None:
    django.setup()
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    volume_id, facts = _fill(rows, now)
    facts |= _decisions(volume_id, now)
    facts |= _parts(volume_id)
    print(json.dumps(facts))


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
        "whole_statements": whole.statements,
        "doomed": len(doomed),
        "minute_ms": minute.ms,
        "minute_statements": minute.statements,
        "peak_mb": peak_mb,
        "whole_run_s": time.perf_counter() - begun_s,
    }


def _parts(volume_id: UUID) -> dict[str, float]:
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
    return {"sums_ms": sums.ms, "oldest_ms": oldest.ms}


def _fill(rows: int, now: datetime) -> tuple[UUID, dict[str, Any]]:
    from apps.accounts.models import Account
    from apps.cameras.models import Camera
    from apps.core.partitions import WEEK, ensure_partitions
    from apps.recordings.models import Recording, RetentionPolicy
    from apps.streams.models import Segment, Source, Stream
    from apps.streams.volumes import ensure_default_volume

    first = now - timedelta(days=DAYS + 7)
    ensure_partitions(weeks_ahead=(now - first) // WEEK + 1, now=first)
    account = Account.objects.order_by("created_at").first() or Account.objects.create(name="Home")
    RetentionPolicy.objects.create(
        account=account,
        max_age_hours=48,
        motion_age_hours=7 * 24,
        event_age_hours=DAYS * 24,
        max_bytes=1 << 60,
    )
    volume = ensure_default_volume()
    for number in range(max(1, round(rows / ROWS_A_STREAM))):
        camera = Camera.objects.create(
            account=account, name=f"Camera {number}", number=number + 1, driver="synthetic", is_enabled=False
        )
        source = Source.objects.create(account=account, camera=camera, is_wanted=False)
        stream = Stream.objects.create(account=account, camera=camera, source=source)
        values: dict[str, Any] = {
            "account": account.pk, "camera": camera.pk, "stream": str(stream.pk), "volume": volume.pk,
            "now": now, "minutes": DAYS * 1440 - 10, "first": number * 1_000_000,
        }  # fmt: skip
        with connection.cursor() as cursor:
            for statement in (_SEGMENTS, _RECORDINGS, _MINUTES):
                cursor.execute(statement, values)
    with connection.cursor() as cursor:
        for table in ("streams_segment", "recordings_recording", "inference_minute_summary"):
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    return volume.pk, {"segments": Segment.objects.count(), "recordings": Recording.objects.count()}


if __name__ == "__main__":
    main(int(sys.argv[1]))
