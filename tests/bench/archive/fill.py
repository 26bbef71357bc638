"""Fill a database: `python -m tests.bench.archive.fill ROWS FOLDER` prints what a client needs, as JSON.

As many segments and tracks as asked, a minute each, with gaps, minutes and recordings in proportion. Indexes
but the keys are made afterwards, and constraints are not asked.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import django
from django.db import connection

from tests.bench.archive.bulk import bulk, side_by_side, sum_hours, table_names, tables, without_indexes

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
    with bulk(), without_indexes():
        steps = [
            {"first_s": int(begin.timestamp()), "last_s": int(min(begin + _LAST_MINUTE, last).timestamp())}
            for begin in _steps(first, last)
        ]
        side_by_side(
            partial(_fill, tables, steps, facts["rules"])
            for tables in (["streams_segment"], [one for one in _recipes() if one != "streams_segment"])
        )
    _run_clips()
    sum_hours()
    with connection.cursor() as cursor:
        for table in table_names():
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


def _run_clips() -> None:
    from tests.bench.archive.statements import CLIPS as STATEMENT

    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"most": CLIPS})


def _steps(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first += _DAY


def _columns(table: str) -> list[str]:
    (model,) = (one for one in tables() if one._meta.db_table == table)
    return [str(field.column) for field in model._meta.concrete_fields]


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
