"""Weekly partitions of the big tables, over the time in their UUIDv7 keys."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

WEEK = timedelta(days=7)
FIRST_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
LOCK_TIMEOUT_MS = 2000  # making or dropping a partition locks its table for a moment; writers go first


@dataclass(frozen=True, slots=True)
class Week:
    """One partition: the keys of `[start, start + 7 days)`."""

    table: str
    start: datetime

    @property
    def name(self) -> str:
        return f"{self.table}_w{self.start:%Y%m%d}"

    @property
    def bounds(self) -> tuple[str, str]:
        """Return the first key of the week and that of the next."""
        return _first_key(self.start), _first_key(self.start + WEEK)


def ensure_partitions(weeks_ahead: int = 4, now: datetime | None = None) -> list[str]:
    """Make this week's and the next weeks' partitions of every partitioned table; return the new ones."""
    made = []
    this_week = week_of(now or timezone.now())
    for table in _partitioned_tables():
        existing = set(_partitions_of(table))
        for ahead in range(weeks_ahead + 1):
            week = Week(table, this_week + ahead * WEEK)
            if week.name not in existing:
                _make(week)
                made.append(week.name)
    return made


def drop_empty(now: datetime | None = None) -> list[str]:
    """Drop partitions of past weeks that retention has emptied; return them."""
    dropped = []
    horizon = week_of(now or timezone.now()) - WEEK  # keys are a little older than their commit
    for table in _partitioned_tables():
        for name in _partitions_of(table):
            start = _start_of(table, name)
            if start is not None and start < horizon and _drop_if_empty(name):
                dropped.append(name)
    return dropped


def maintain() -> str:
    """Make partitions ahead and drop empty ones: the periodic job."""
    made, dropped = ensure_partitions(), drop_empty()
    return f"{len(made)} made, {len(dropped)} dropped"


def _make(week: Week) -> None:
    """Make a partition; rows of its week that had to go to the default partition move over."""
    quote = connection.ops.quote_name
    table, name, default = quote(week.table), quote(week.name), quote(f"{week.table}_default")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        cursor.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {default} WHERE id >= %s AND id < %s RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM moved",
            week.bounds,
        )
        first, after = (str(UUID(key)) for key in week.bounds)
        cursor.execute(
            f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{after}')"
        )


def _drop_if_empty(name: str) -> bool:
    quoted = connection.ops.quote_name(name)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        cursor.execute(f"LOCK TABLE {quoted} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {quoted})")  # noqa: S608 - a name from the catalogue
        if cursor.fetchone()[0]:
            return False
        cursor.execute(f"DROP TABLE {quoted}")
    return True


def _partitioned_tables() -> list[str]:
    """Return the tables that are partitioned by their key alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid "
            "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0] "
            "WHERE a.attname = 'id' AND p.partstrat = 'r' "
            "AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname"
        )
        return [name for (name,) in cursor.fetchall()]


def _partitions_of(table: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = %s::regclass ORDER BY c.relname",
            [table],
        )
        return [name for (name,) in cursor.fetchall()]


def _start_of(table: str, partition: str) -> datetime | None:
    """Return a weekly partition's start; none for the default one."""
    text = partition.removeprefix(f"{table}_w")
    if not (text.isdigit() and len(text) == 8):
        return None
    return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)


def week_of(moment: datetime) -> datetime:
    """Return when the week of a moment begins, which is when its partition does."""
    return FIRST_MONDAY + (moment - FIRST_MONDAY) // WEEK * WEEK


def _first_key(moment: datetime) -> str:
    """Return a key before all UUIDv7 of this moment: 48 bits of ms, then zeros (RFC 9562 section 5.7)."""
    milliseconds = (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
    return str(UUID(int=milliseconds << 80))
