"""Fill a database: `python -m tests.bench.archive.fill ROWS FOLDER` prints what a client needs, as JSON.

As many segments and tracks as asked, a minute each, with gaps, minutes and recordings in proportion. Indexes
but the keys are made afterwards, and constraints are not asked.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import django
from django.db import connection, models

CAMERAS = 100
FEW_CAMERAS = 20
FEW_ROWS = 1_000_000
RULES = 20
CLIPS = 20_000
_DAY = timedelta(days=1)
_LAST_MINUTE = _DAY - timedelta(minutes=1)


def main(rows: int, folder: Path) -> None:
    django.setup()
    from apps.core.partitions import WEEK, ensure_partitions
    from tests.bench.archive.templates import make_templates

    cameras = CAMERAS if rows >= FEW_ROWS else FEW_CAMERAS
    minutes = round(rows / cameras / 0.99)
    last = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=2)
    first = last - timedelta(minutes=minutes - 1)
    ensure_partitions(weeks_ahead=(last - first) // WEEK + 2, now=first)
    facts = make_templates(cameras, RULES, folder)
    with _bulk(), _without_indexes():
        steps = [
            {"first_s": int(begin.timestamp()), "last_s": int(min(begin + _LAST_MINUTE, last).timestamp())}
            for begin in _steps(first, last)
        ]
        _side_by_side(
            partial(_fill, tables, steps, facts["rules"])
            for tables in (["streams_segment"], [one for one in _recipes() if one != "streams_segment"])
        )
    _run_clips()
    _sum_hours()
    with connection.cursor() as cursor:
        for table in _tables():
            cursor.execute(f"VACUUM (ANALYZE) {table}")
        cursor.execute("SELECT count(*) FROM streams_segment")
        facts["segments"] = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM inference_track")
        facts["tracks"] = cursor.fetchone()[0]
        cursor.execute("SELECT pg_database_size(current_database())")
        facts["bytes"] = cursor.fetchone()[0]
    print(json.dumps(facts | {"first": first.isoformat(), "last": last.isoformat()}))


def _fill(tables: Iterable[str], steps: Iterable[dict[str, int]], rules: Iterable[str]) -> None:
    from tests.bench.archive.statements import insert

    listed = ", ".join(f"'{one}'" for one in rules)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        for step in steps:
            for table in tables:
                values, where = _recipes()[table]
                columns = [
                    name for name in _columns(table) if table != "inference_minute_summary" or name != "id"
                ]
                statement = insert(table, columns, values, where)
                cursor.execute(statement.replace("%(rules)s", listed), step)


def _recipes() -> dict[str, tuple[dict[str, str], str]]:
    from tests.bench.archive import statements as made

    return {
        "streams_segment": (made.SEGMENT, f"NOT ({made.IS_GAP})"),
        "streams_gap": (made.GAP, made.IS_GAP),
        "inference_minute_summary": (made.MINUTE, made.IS_SEEN),
        "inference_track": (made.TRACK, ""),
        "recordings_recording": (made.RECORDING, made.IS_RECORDED),
    }


def _side_by_side(works: Iterable[Callable[[], None]]) -> None:
    """Do works in two threads, each with a connection of its own."""

    def done(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(done, works))


def _run_clips() -> None:
    from tests.bench.archive.statements import CLIPS as STATEMENT

    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"most": CLIPS})


def _sum_hours() -> None:
    """Do what triggers and the periodic job would have done: triggers slept while the rows came."""
    from apps.recordings.hour_sums import sum_changed
    from apps.recordings.models import ChangedHour

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recordings_changed_hour (kind, stream_id, hour) SELECT kind, stream_id, hour FROM "
            "bench_stream, unnest(ARRAY['stored', 'seen']) AS kind, generate_series("
            "(SELECT date_trunc('hour', min(start)) FROM streams_segment), now(), interval '1 hour') AS hour"
        )
    while ChangedHour.objects.exists():
        sum_changed(datetime.now(UTC) + _DAY)


def _steps(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += _DAY


def _models() -> list[type[models.Model]]:
    from apps.dialects.spectrax.models import SpectraxClip
    from apps.inference.models import MinuteSummary, Track
    from apps.recordings.models import Recording, SeenHour, StoredHour
    from apps.streams.models import Gap, Segment

    return [Segment, Gap, MinuteSummary, Track, Recording, SpectraxClip, StoredHour, SeenHour]


def _tables() -> list[str]:
    return [model._meta.db_table for model in _models()]


def _columns(table: str) -> list[str]:
    (model,) = (one for one in _models() if one._meta.db_table == table)
    return [str(field.column) for field in model._meta.concrete_fields]


@contextmanager
def _bulk() -> Iterator[None]:
    """Let the server wait for nothing and tidy up nothing meanwhile."""
    with connection.cursor() as cursor:
        for setting in ("max_wal_size = '2GB'", "autovacuum = off", "maintenance_work_mem = '384MB'"):
            cursor.execute(f"ALTER SYSTEM SET {setting}")
        cursor.execute("SELECT pg_reload_conf()")
        yield
        cursor.execute("ALTER SYSTEM RESET ALL")
        cursor.execute("SELECT pg_reload_conf()")


@contextmanager
def _without_indexes() -> Iterator[None]:
    """Take the indexes away that serve no constraint, and make them again."""
    indexes: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [_tables()],
        )
        for table, name, definition in cursor.fetchall():
            indexes.setdefault(table, []).append(definition.replace(" ON ONLY ", " ON "))
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    _side_by_side(partial(_run, statements) for statements in indexes.values())


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
