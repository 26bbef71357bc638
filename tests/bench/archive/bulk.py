"""Fill tables with millions of rows: no waiting, indexes and sums afterwards, two connections."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from django.db import connection, models


def tables() -> list[type[models.Model]]:
    from apps.dialects.spectrax.models import SpectraxClip
    from apps.inference.models import MinuteSummary, Track
    from apps.recordings.models import Recording, SeenHour, StoredHour
    from apps.streams.models import Gap, Segment

    return [Segment, Gap, MinuteSummary, Track, Recording, SpectraxClip, StoredHour, SeenHour]


def table_names() -> list[str]:
    return [model._meta.db_table for model in tables()]


@contextmanager
def bulk() -> Iterator[None]:
    """Let the server wait for nothing and tidy up nothing meanwhile."""
    with connection.cursor() as cursor:
        for setting in ("max_wal_size = '2GB'", "autovacuum = off", "maintenance_work_mem = '384MB'"):
            cursor.execute(f"ALTER SYSTEM SET {setting}")
        cursor.execute("SELECT pg_reload_conf()")
        yield
        cursor.execute("ALTER SYSTEM RESET ALL")
        cursor.execute("SELECT pg_reload_conf()")


@contextmanager
def without_indexes() -> Iterator[None]:
    """Take the indexes away that serve no constraint, and make them again."""
    indexes: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [table_names()],
        )
        for table, name, definition in cursor.fetchall():
            indexes.setdefault(table, []).append(definition.replace(" ON ONLY ", " ON "))
            cursor.execute(f'DROP INDEX "{name}"')
    yield
    side_by_side(partial(_run, statements) for statements in indexes.values())


def _run(statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def side_by_side(works: Iterable[Callable[[], None]]) -> None:
    """Do works in two threads, each with a connection of its own."""

    def done(work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(done, works))


def sum_hours() -> None:
    """Do what triggers and the periodic job would have done: triggers slept while the rows came."""
    from apps.recordings.hour_sums import sum_changed
    from apps.recordings.models import ChangedHour

    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recordings_changed_hour (kind, stream_id, hour) SELECT kind, id, hour FROM "
            "streams_stream, unnest(ARRAY['stored', 'seen']) AS kind, generate_series("
            "(SELECT date_trunc('hour', min(start)) FROM streams_segment), now(), interval '1 hour') AS hour"
        )
    while ChangedHour.objects.exists():
        sum_changed(datetime.now(UTC) + timedelta(days=1))
