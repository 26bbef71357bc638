"""Retention on rows and files: what goes leaves a gap, what is held stays, a crash is made good."""

from datetime import timedelta
from pathlib import Path

import pytest

from apps.core.models import Outbox
from apps.recordings import retention
from apps.recordings.due_hours import Look
from apps.recordings.expiry import expire
from apps.recordings.growing import Cause, Sighting, grow, open_or_extend
from apps.recordings.keeping import read_keeping
from apps.recordings.models import CauseKind, Recording, RecordingState, RetentionPolicy
from apps.recordings.room import expire_batch
from apps.streams.models import Gap, Segment, SegmentState
from tests.apps.recordings.archive import NOON, Archive, at

HOUR = 3600


def files(archive: Archive) -> set[str]:
    return {path.name for path in archive.root.glob("*.mp4")}


def make_recording(archive: Archive, start_s: int, end_s: int, **fields: object) -> Recording:
    defaults: dict[str, object] = {
        "account": archive.account,
        "camera": archive.stream.camera,
        "stream": archive.stream,
        "number": Recording.objects.count() + 1,
        "state": RecordingState.DONE,
        "wanted_start": at(start_s),
        "start": at(start_s),
        "end": at(end_s),
        "until": at(end_s),
        "cause_kind": CauseKind.RULE,
    }
    return Recording.objects.create(**{**defaults, **fields})


def limit_age(archive: Archive) -> None:
    """Keep this account's footage for an hour."""
    RetentionPolicy.objects.create(account=archive.account, max_age_hours=1)


def run(now_s: float = HOUR) -> str:
    return retention.run(at(now_s))


def test_old_footage_goes_with_its_file_and_leaves_one_gap(archive: Archive) -> None:
    old = archive.record(0, 2, 2)
    kept = archive.record(10, 2)
    limit_age(archive)

    assert run(HOUR + 5) == "2 expired, 2 files deleted"

    assert list(Segment.objects.values_list("id", flat=True)) == [kept[0].id]
    assert files(archive) == {kept[0].path}
    gap = Gap.objects.get()
    assert (gap.start, gap.end, gap.cause) == (at(0), at(4), "expired")
    assert old[0].path not in files(archive)


def test_unwanted_transient_footage_goes_and_a_recordings_whole_segments_stay(archive: Archive) -> None:
    rows = archive.record(0, *[4] * 6, is_transient=True)
    make_recording(archive, 9, 13)

    run()

    assert list(Segment.objects.order_by("start").values_list("id", flat=True)) == [rows[2].id, rows[3].id]
    assert [(gap.start, gap.end) for gap in Gap.objects.order_by("start")] == [
        (at(0), at(8)),
        (at(16), at(24)),
    ]


def test_transient_footage_waits_for_an_event(archive: Archive) -> None:
    archive.record(0, 4, 4, is_transient=True)

    retention.run(at(44.5))

    assert Segment.objects.count() == 1


def test_default_keeps_a_week(archive: Archive) -> None:
    archive.add_rows(0, 60)
    archive.add_rows(7200, 60)

    retention.run(NOON + timedelta(days=7, hours=1))

    assert list(Segment.objects.values_list("start", flat=True)) == [at(7200)]


def test_size_of_a_camera_is_kept(archive: Archive) -> None:
    archive.add_rows(0, 60, 60, 60, size_bytes=60_000)
    RetentionPolicy.objects.create(account=archive.account, camera=archive.stream.camera, max_bytes=130_000)

    run()

    assert list(Segment.objects.order_by("start").values_list("start", flat=True)) == [at(60), at(120)]


def test_volume_keeps_its_least_free_space(archive: Archive) -> None:
    archive.add_rows(0, 60, 60, size_bytes=60_000)
    archive.volume.max_bytes = 100_000
    archive.volume.save()

    run()

    assert list(Segment.objects.values_list("start", flat=True)) == [at(60)]


def test_held_and_growing_recordings_keep_their_footage_whatever_the_age(archive: Archive) -> None:
    archive.record(0, 2, 2, 2, 2)
    make_recording(archive, 1, 2, is_held=True)
    make_recording(archive, 5, 5, state=RecordingState.ACTIVE, until=None)
    limit_age(archive)

    run(HOUR + 3600)

    assert list(Segment.objects.order_by("start").values_list("start", flat=True)) == [at(0), at(4), at(6)]


def test_recordings_shrink_and_go_with_their_footage(archive: Archive) -> None:
    archive.record(0, 4, 4)
    gone = make_recording(archive, 0, 3)
    shorter = make_recording(archive, 2, 7)
    limit_age(archive)

    run(HOUR + 5)

    left = Recording.objects.get()
    assert (left.pk, left.start, left.end) == (shorter.pk, at(4), at(7))
    told = Outbox.objects.filter(subject_kind="recording").order_by("id")
    assert [(row.kind, row.subject_id) for row in told] == [
        ("recording.deleted", gone.pk),
        ("recording.updated", shorter.pk),
    ]


def test_footage_held_after_the_decision_stays(archive: Archive) -> None:
    rows = archive.record(0, 2, 2)
    now, (keeping,) = at(30 * 24 * HOUR), read_keeping().streams
    look = Look(keeping, at(0), at(3600))
    (doomed,) = retention.doomed_by_age(look, [archive.volume.pk], now)
    assert [one.segment_id for one in doomed] == [row.id for row in rows]
    make_recording(archive, 0, 1, is_held=True)

    assert expire_batch(doomed, now) == 1

    assert Segment.objects.get(id=rows[0].id).state == SegmentState.CLOSED


@pytest.mark.parametrize("fault", ["missing", "swapped", "unreadable"])
def test_volume_that_is_not_ours_loses_nothing(archive: Archive, fault: str) -> None:
    archive.record(0, 2)
    limit_age(archive)
    identity = archive.root / "omma-volume.json"
    if fault == "missing":
        identity.unlink()
    else:
        identity.write_text(
            "{" if fault == "unreadable" else '{"volume_id": "01890000-0000-7000-8000-000000000000"}'
        )

    assert run(HOUR + 3600) == "0 expired, 0 files deleted"

    assert Segment.objects.get().state == SegmentState.CLOSED
    assert len(files(archive)) == 1


def test_empty_index_deletes_no_file(archive: Archive) -> None:
    archive.record(0, 2)
    Segment.objects.all().delete()

    run()

    assert len(files(archive)) == 1


def test_crash_after_marking_is_made_good(archive: Archive) -> None:
    row = archive.record(0, 2)[0]
    expire(archive.stream.pk, [row.id], now=at(HOUR))
    assert Segment.objects.get().state == SegmentState.GARBAGE
    assert files(archive) == {row.path}

    assert run() == "0 expired, 1 files deleted"

    assert not Segment.objects.exists()
    assert not files(archive)
    assert Gap.objects.count() == 1


def test_crash_after_unlinking_is_made_good(archive: Archive) -> None:
    row = archive.record(0, 2)[0]
    expire(archive.stream.pk, [row.id], now=at(HOUR))
    (archive.root / row.path).unlink()

    run()

    assert not Segment.objects.exists()


def test_file_that_cannot_be_deleted_keeps_its_row(archive: Archive) -> None:
    row = archive.record(0, 2)[0]
    expire(archive.stream.pk, [row.id], now=at(HOUR))
    (archive.root / row.path).unlink()
    (archive.root / row.path).mkdir()

    assert run() == "0 expired, 0 files deleted"

    assert Segment.objects.get().state == SegmentState.GARBAGE


def test_path_that_leads_out_of_its_volume_deletes_nothing(archive: Archive, tmp_path: Path) -> None:
    row = archive.record(0, 2)[0]
    victim = tmp_path / "victim"
    victim.touch()
    Segment.objects.filter(id=row.id).update(path="../victim", state=SegmentState.GARBAGE)

    run()

    assert victim.exists()


def test_starving_volume_is_told_loudly(archive: Archive, caplog: pytest.LogCaptureFixture) -> None:
    archive.add_rows(0, 60, size_bytes=60_000)
    make_recording(archive, 0, 60, is_held=True)
    archive.volume.max_bytes = 1000
    archive.volume.save()

    run()

    assert Outbox.objects.get(kind="system.updated").payload["missing_bytes"] > 50_000
    assert "holds only held footage" in caplog.text


def test_pre_roll_of_an_event_survives_a_run_between(archive: Archive) -> None:
    archive.record(0, *[4] * 6, is_transient=True)
    retention.run(at(24))

    cause = Cause(CauseKind.RULE)
    recording = open_or_extend(stream_id=archive.stream.pk, cause=cause, sighting=Sighting(at(18), at(18)))
    grow(recording.pk, at(24))

    recording.refresh_from_db()
    assert (recording.start, recording.end) == (at(8), at(24))
