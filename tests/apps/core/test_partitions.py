"""Partitions are made ahead, take in what came too early, and go when they are empty."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.core import partitions
from omma_engine.ids import uuid7_floor

NOW = datetime(2026, 3, 4, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t_big (id uuid PRIMARY KEY, word text) PARTITION BY RANGE (id)")
        cursor.execute("CREATE INDEX t_word ON t_big (word)")
        cursor.execute("CREATE TABLE t_big_default PARTITION OF t_big DEFAULT")


def rows_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - fixed names
        return int(cursor.fetchone()[0])


def insert(at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t_big VALUES (%s, 'x')", [uuid7_floor(round(at.timestamp() * 1000))])


def test_this_week_and_the_next_get_a_partition() -> None:
    made = [name for name in partitions.ensure_partitions(1, NOW) if name.startswith("t_big")]
    insert(NOW)

    assert made == ["t_big_w20260302", "t_big_w20260309"]
    assert rows_in("t_big_w20260302") == 1
    assert not [name for name in partitions.ensure_partitions(1, NOW) if name.startswith("t_big")]


def test_rows_that_came_before_their_partition_move_into_it() -> None:
    insert(NOW)

    partitions.ensure_partitions(0, NOW)

    assert (rows_in("t_big_w20260302"), rows_in("t_big_default"), rows_in("t_big")) == (1, 0, 1)


def test_only_an_empty_partition_of_the_past_is_dropped() -> None:
    partitions.ensure_partitions(1, NOW)
    insert(NOW)

    later = NOW + timedelta(weeks=6)
    dropped = [name for name in partitions.drop_empty(later) if name.startswith("t_big")]

    assert dropped == ["t_big_w20260309"]
    assert rows_in("t_big") == 1


def test_the_big_tables_of_omma_are_found() -> None:
    assert {"streams_segment", "streams_gap", "inference_track", "inference_event"} <= set(
        partitions._partitioned_tables()
    )
