"""What retention looks at: what has come due, changed, or not been looked at for long; and nothing else."""

from datetime import datetime, timedelta

import pytest

from apps.recordings import due_hours, hour_sums, retention
from apps.recordings.due_hours import due_looks
from apps.recordings.keeping import read_keeping
from apps.recordings.models import CauseKind, ChangedHour, Recording, RecordingState, RetentionPolicy
from apps.streams.models import Segment, SegmentState
from tests.apps.recordings.archive import Archive, at

HOUR_S = 3600
DAY_S = 24 * HOUR_S
pytestmark = pytest.mark.django_db


def policy(archive: Archive, **hours: int) -> RetentionPolicy:
    return RetentionPolicy.objects.create(account=archive.account, max_bytes=1 << 40, **hours)


def looks(archive: Archive, now: datetime) -> list[tuple[float, float]]:
    """Return what would be looked at, in hours after noon."""
    found = due_looks(read_keeping().streams, [archive.volume.pk], now)
    return [((one.start - at(0)) / hour_sums.HOUR, (one.end - at(0)) / hour_sums.HOUR) for one in found]


def settle(archive: Archive, now: datetime) -> None:
    """Let sums and retention catch up."""
    hour_sums.sum_changed(now)
    retention.run(now)
    hour_sums.sum_changed(now)
    retention.run(now)


def add_hours(archive: Archive, count: int) -> None:
    for hour in range(count):
        archive.add_rows(hour * HOUR_S, 60)


def add_recording(archive: Archive, start_s: float, end_s: float, **more: object) -> Recording:
    return Recording.objects.create(
        account=archive.account, camera=archive.stream.camera, stream=archive.stream,
        number=Recording.objects.count() + 1, cause_kind=CauseKind.RULE, wanted_start=at(start_s),
        start=at(start_s), end=at(end_s), **{"state": RecordingState.DONE, **more},
    )  # fmt: skip


def test_an_hour_is_looked_at_while_it_comes_of_an_age_and_not_between(archive: Archive) -> None:
    policy(archive, max_age_hours=24, event_age_hours=48)
    add_hours(archive, 6)
    add_recording(archive, 0, 6 * HOUR_S)
    settle(archive, at(31 * HOUR_S))

    assert looks(archive, at(33 * HOUR_S)) == []
    settle(archive, at(40 * HOUR_S))
    assert looks(archive, at(48 * HOUR_S)) == [(0, 1)]
    assert looks(archive, at(49.5 * HOUR_S)) == [(0, 2)]

    settle(archive, at(49.5 * HOUR_S))
    starts = Segment.objects.filter(state=SegmentState.CLOSED).order_by("start")
    assert starts.values_list("start", flat=True)[0] == at(2 * HOUR_S)


def test_a_shorter_policy_looks_at_everything_at_once(archive: Archive) -> None:
    kept = policy(archive, max_age_hours=200)
    add_hours(archive, 5)
    settle(archive, at(190 * HOUR_S))
    assert looks(archive, at(191 * HOUR_S)) == []

    kept.max_age_hours = 24
    kept.save()

    assert looks(archive, at(191 * HOUR_S)) == [(0, 5)]
    retention.run(at(191 * HOUR_S))
    assert not Segment.objects.exists()


@pytest.mark.parametrize("how", ["release", "delete", "shorten", "finish"])
def test_footage_that_a_recording_lets_go_of_goes_with_the_next_run(archive: Archive, how: str) -> None:
    policy(archive, max_age_hours=24, event_age_hours=24)
    add_hours(archive, 5)
    state = RecordingState.ACTIVE if how == "finish" else RecordingState.DONE
    row = add_recording(archive, HOUR_S, 4 * HOUR_S + 30, is_held=how != "finish", state=state)
    settle(archive, at(100 * HOUR_S))
    assert Segment.objects.count() == 4
    assert not ChangedHour.objects.exists()

    changed = Recording.objects.filter(pk=row.pk)
    if how == "release":
        changed.update(is_held=False)
    elif how == "delete":
        changed.delete()
    elif how == "shorten":
        changed.update(end=at(2 * HOUR_S + 30))
    else:
        changed.update(state=RecordingState.DONE)
    retention.run(at(100 * HOUR_S + 60))

    left = Segment.objects.filter(state=SegmentState.CLOSED).count()
    assert left == (2 if how == "shorten" else 0)


def test_everything_is_looked_at_again_within_days_whatever_was_missed(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy(archive, max_age_hours=24, event_age_hours=200)
    add_hours(archive, 5)
    row = add_recording(archive, 0, 5 * HOUR_S)
    settle(archive, at(100 * HOUR_S))
    Recording.objects.filter(pk=row.pk).delete()
    ChangedHour.objects.all().delete()  # as if nobody had noted it
    monkeypatch.setattr(due_hours, "MOST_AGAIN", 2)

    assert retention.run(at(101 * HOUR_S)).startswith("0 expired")
    counts = [retention.run(at(100 * HOUR_S + DAY_S + 60 * n)).split()[0] for n in (1, 2, 3, 4)]

    assert counts == ["2", "2", "1", "0"]


def test_a_run_is_bounded_and_the_next_goes_on(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    policy(archive, max_age_hours=24)
    add_hours(archive, 7)
    hour_sums.sum_changed(at(DAY_S))
    monkeypatch.setattr(due_hours, "MOST_HOURS", 3)

    now = at(100 * HOUR_S)
    counts = []
    for _ in range(4):
        counts.append(retention.run(now).split()[0])
        hour_sums.sum_changed(now)

    assert counts == ["3", "3", "1", "0"]


def test_a_volume_that_is_away_is_looked_at_when_it_is_back(archive: Archive) -> None:
    policy(archive, max_age_hours=24)
    add_hours(archive, 2)
    hour_sums.sum_changed(at(DAY_S))

    assert list(due_looks(read_keeping().streams, [], at(100 * HOUR_S))) == []
    assert looks(archive, at(100 * HOUR_S)) == [(0, 2)]


def test_long_stretches_are_cut(archive: Archive) -> None:
    policy(archive, max_age_hours=24)
    add_hours(archive, 1)
    hour_sums.sum_changed(at(DAY_S))
    rows = [
        ChangedHour(kind="stored", stream_id=archive.stream.pk, hour=at(0) + timedelta(hours=n))
        for n in range(200)
    ]
    ChangedHour.objects.bulk_create(rows)

    assert looks(archive, at(30 * DAY_S)) == [(0, 168), (168, 200)]
