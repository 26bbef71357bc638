"""Fill a database as retention leaves one: `python -m tests.bench.archive.retained ROWS` prints JSON."""

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import django
from django.db import connection

from tests.bench.archive.bulk import bulk, side_by_side, sum_hours, table_names, without_indexes

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
    repeat('ab', 32), bench_fragments.listed
FROM bench_fragments, (SELECT n, %(now)s::timestamptz - n * interval '1 minute' AS start
      FROM generate_series(1, %(minutes)s) AS n
      WHERE n <= 2880 OR (n <= 10080 AND n %% 6 <= 2) OR n %% 6 <= 1) made
"""
_FRAGMENTS = """
CREATE TABLE bench_fragments AS
SELECT jsonb_agg(jsonb_build_array(i * 1000000, 1000000, 900 + i * 500000, 500000, 1)) AS listed
FROM generate_series(0, 59) AS i
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


def main(rows: int) -> None:
    django.setup()
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    print(json.dumps({"now": now.isoformat(), **_fill(rows, now)}))


def _fill(rows: int, now: datetime) -> dict[str, Any]:
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
    made: list[dict[str, Any]] = []
    for number in range(max(1, round(rows / ROWS_A_STREAM))):
        camera = Camera.objects.create(
            account=account, name=f"Camera {number}", number=number + 1, driver="synthetic", is_enabled=False
        )
        source = Source.objects.create(account=account, camera=camera, is_wanted=False)
        stream = Stream.objects.create(account=account, camera=camera, source=source)
        made.append({
            "account": account.pk, "camera": camera.pk, "stream": str(stream.pk), "volume": volume.pk,
            "now": now, "minutes": DAYS * 1440 - 10, "first": number * 1_000_000,
        })  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_FRAGMENTS)
    with bulk(), without_indexes():
        side_by_side(partial(_insert, each) for each in (made[::2], made[1::2]))
    sum_hours()
    with connection.cursor() as cursor:
        for table in table_names():
            cursor.execute(f"VACUUM (ANALYZE) {table}")
    return {
        "volume": str(volume.pk),
        "segments": Segment.objects.count(),
        "recordings": Recording.objects.count(),
    }


def _insert(streams: Iterable[dict[str, Any]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for values in streams:
            for statement in (_SEGMENTS, _RECORDINGS, _MINUTES):
                cursor.execute(statement, values)


if __name__ == "__main__":
    main(int(sys.argv[1]))
