"""Sums by the hour: figures from them are those of the rows, whatever happened to these."""

import random
from collections.abc import Callable
from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from apps.core.days import days_between
from apps.core.times import to_us
from apps.inference.models import MinuteSummary
from apps.recordings import hour_sums
from apps.recordings.expiry import expire
from apps.recordings.models import ChangedHour, SeenHour, StoredHour
from apps.recordings.statistics import Statistics, statistics_of_cameras
from apps.streams.models import Gap, Segment, SegmentState, Volume
from omma_engine.ids import uuid7
from tests.apps.recordings.archive import NOON, Archive, at

HOUR_S = 3600
DAY_S = 24 * HOUR_S
LATER = at(7 * 24 * HOUR_S)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu")
RANGES = (
    (at(0), at(40 * HOUR_S)),
    (at(1.5 * HOUR_S), at(30.25 * HOUR_S)),
    (at(90), at(400)),
    (at(HOUR_S - 30), at(HOUR_S + 30)),
)

pytestmark = pytest.mark.django_db


def figures(archive: Archive) -> list[Statistics]:
    """Ask for several ranges in several zones."""
    camera = archive.stream.camera_id
    return [
        statistics_of_cameras(
            [camera], start, end, now=LATER, days=list(days_between(start, end, ZoneInfo(zone)))
        )
        for start, end in RANGES
        for zone in ZONES
    ]


def from_rows(archive: Archive) -> list[Statistics]:
    """Ask for the same while no hour is summed."""
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT unsummed")
        cursor.execute(
            "INSERT INTO recordings_changed_hour (kind, stream_id, hour) SELECT kind, %s, hour "
            "FROM generate_series(%s::timestamptz, %s::timestamptz, interval '1 hour') AS hour, "
            "unnest(ARRAY['stored', 'seen']) AS kind",
            [archive.stream.pk, at(-24 * HOUR_S), at(72 * HOUR_S)],
        )
        found = figures(archive)
        cursor.execute("ROLLBACK TO SAVEPOINT unsummed")
    return found


def fill(archive: Archive) -> None:
    """Add forty hours of segments on two volumes with holes, gaps, and what was seen."""
    chance = random.Random(7)
    volumes = [archive.volume, Volume.objects.create(name="other", root="/other")]
    ids: dict[str, Any] = {"account_id": archive.account.pk, "camera_id": archive.stream.camera_id}
    (like,) = archive.add_rows(-DAY_S, 1)
    segments, gaps, minutes = [], [], []
    for number, at_s in enumerate(range(-1100, 40 * HOUR_S, 500)):
        span = {"start": at(at_s), "end": at(at_s + 500)}
        if chance.random() < 0.2:
            gaps.append(Gap(**ids, **span, stream=archive.stream, cause="disk"))
            continue
        labels = {"person": chance.randrange(1, 4)} if chance.random() < 0.5 else {}
        minutes.append(MinuteSummary(**ids, stream_id=archive.stream.pk, minute=at(at_s), labels=labels))
        row = copy(like)
        row.id, row.sequence, row.path = uuid7(to_us(at(at_s)) // 1000), number, f"rows/many-{number}.mp4"
        row.start, row.end = span["start"], span["end"]
        row.volume, row.durable_bytes = chance.choice(volumes), chance.randrange(1, 9_000_000)
        segments.append(row)
    Segment.objects.bulk_create(segments)
    Gap.objects.bulk_create(gaps)
    MinuteSummary.objects.bulk_create(minutes)


def test_summed_hours_say_what_the_rows_say(archive: Archive) -> None:
    fill(archive)
    expected = from_rows(archive)

    hour_sums.sum_changed(LATER)

    assert not ChangedHour.objects.exists()
    assert figures(archive) == expected
    assert expected[0].totals.segments > 200


def test_figures_come_from_the_sums(archive: Archive) -> None:
    fill(archive)
    hour_sums.sum_changed(LATER)
    before = figures(archive)[0]

    StoredHour.objects.filter(hour=at(5 * HOUR_S)).update(segments=1_000_000)
    SeenHour.objects.filter(hour=at(5 * HOUR_S)).update(sightings=1_000_000)

    after = figures(archive)[0]
    assert after.totals.segments > before.totals.segments + 900_000
    assert after.labels["person"].sightings > before.labels["person"].sightings + 900_000


def _expire(archive: Archive) -> None:
    rows = Segment.objects.filter(start__gte=at(2 * HOUR_S), start__lt=at(9 * HOUR_S))
    expire(archive.stream.pk, list(rows.values_list("pk", flat=True)), now=LATER)


def _forget(archive: Archive) -> None:
    _expire(archive)
    Segment.objects.filter(state=SegmentState.GARBAGE).delete()


def _insert_late(archive: Archive) -> None:
    archive.add_rows(3 * HOUR_S + 1, 7, 8, 9)


def _reopen(archive: Archive) -> None:
    """One that is open has grown: nobody notes that."""
    row = Segment.objects.filter(start__gte=at(4 * HOUR_S)).order_by("start")[0]
    Segment.objects.filter(pk=row.pk).update(state=SegmentState.OPEN)
    hour_sums.sum_changed(LATER)
    Segment.objects.filter(pk=row.pk).update(durable_bytes=123_456, end=row.start + timedelta(seconds=9))
    assert not ChangedHour.objects.exists()


def _move_to_another_hour(archive: Archive) -> None:
    row = Segment.objects.filter(start__gte=at(4 * HOUR_S)).order_by("start")[0]
    Segment.objects.filter(pk=row.pk).update(
        start=row.start - timedelta(hours=6), end=row.end - timedelta(hours=6)
    )


def _see_more(archive: Archive) -> None:
    MinuteSummary.objects.filter(minute=at(5 * HOUR_S)).update(labels={"cat": 3})
    MinuteSummary.objects.filter(minute__gte=at(6 * HOUR_S), minute__lt=at(7 * HOUR_S)).delete()


@pytest.mark.parametrize(
    "change", [_expire, _forget, _insert_late, _reopen, _move_to_another_hour, _see_more]
)
def test_a_change_counts_at_once_and_after_it_is_summed(
    archive: Archive, change: Callable[[Archive], None]
) -> None:
    fill(archive)
    hour_sums.sum_changed(LATER)
    before = figures(archive)

    change(archive)

    at_once, expected = figures(archive), from_rows(archive)
    assert at_once == expected != before
    hour_sums.sum_changed(LATER)
    assert figures(archive) == expected


def test_recorded_and_gaps_are_the_wall_time(archive: Archive) -> None:
    fill(archive)
    hour_sums.sum_changed(LATER)
    _expire(archive)
    hour_sums.sum_changed(LATER)

    for found in figures(archive):
        wall_s = (found.end - found.start).total_seconds()
        assert found.totals.recorded_s + found.totals.gap_s == pytest.approx(wall_s, abs=1e-5)


def test_an_hour_waits_until_it_is_over(archive: Archive) -> None:
    archive.add_rows(0, 60)

    hour_sums.sum_changed(at(HOUR_S + 60))
    assert (StoredHour.objects.count(), ChangedHour.objects.count()) == (0, 1)

    hour_sums.sum_changed(at(HOUR_S + 301))
    assert (StoredHour.objects.count(), ChangedHour.objects.count()) == (1, 0)


def test_hours_without_footage_and_unlike_labels_leave_no_sums(archive: Archive) -> None:
    fill(archive)
    hour_sums.sum_changed(LATER)

    Segment.objects.all().delete()
    MinuteSummary.objects.all().delete()
    hour_sums.sum_changed(LATER)

    assert not StoredHour.objects.exists()
    assert not SeenHour.objects.exists()


def test_rows_that_move_to_a_partition_of_their_own_stay_counted(archive: Archive) -> None:
    from apps.core.partitions import ensure_partitions

    fill(archive)
    hour_sums.sum_changed(LATER)
    expected = figures(archive)

    ensure_partitions(now=datetime(2026, 11, 16, tzinfo=UTC))

    assert figures(archive) == expected
    (row,) = archive.add_rows(10 * HOUR_S + 7, 11)
    assert ChangedHour.objects.filter(hour=at(10 * HOUR_S)).exists(), "a new partition has the triggers"
    assert row.start > NOON
    assert uuid7() > row.pk
