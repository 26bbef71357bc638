"""Storage check: what differs is found in both directions, and fixed without deleting a file."""

import io
import json
import os
import shutil
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.core import own_connections
from apps.core.advisory_locks import STORAGE_CHECK, try_lock
from apps.core.models import AuditEntry
from apps.core.times import from_us, to_us
from apps.recordings import retention
from apps.streams.models import Gap, Segment, SegmentState, Stream, Volume
from apps.streams.selectors import timeline_of_stream
from apps.streams.storage import check as check_module
from apps.streams.storage import losses
from omma_engine.ids import uuid7
from tests.apps.recordings.archive import Archive, make_archive
from tests.apps.streams.storage.footage import Recorded, flip, record, tear
from tests.engine.coded import START_US

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(tmp_path: Path, settings: Settings, db: None) -> Archive:
    settings.OMMA_DATA_DIR = tmp_path / "data"
    archive = make_archive(tmp_path / "volume")
    Stream.objects.update(created_at=from_us(START_US))
    return archive


def check(*options: str) -> tuple[int, dict[str, Any]]:
    """Run the command; return its exit code and the report of the first volume."""
    out, code = io.StringIO(), 0
    try:
        call_command("storage", "check", "--json", *options, stdout=out)
    except SystemExit as stop:
        code = int(str(stop.code))
    return code, json.loads(out.getvalue())["volumes"][0]


def counts(report: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {kind: (one["count"], one["fixed"]) for kind, one in report["differences"].items()}


def files(recorded: Recorded) -> dict[str, bytes]:
    return {str(one.relative_to(recorded.root)): one.read_bytes() for one in recorded.root.rglob("*.mp4")}


def timeline(recorded: Recorded) -> list[tuple[float, float, str]]:
    """Return (from, until, what) in seconds after the first picture."""
    start, end = from_us(START_US), from_us(START_US + 6_000_000)
    return [
        ((one.start - start).total_seconds(), (one.end - start).total_seconds(), one.cause or one.kind)
        for one in timeline_of_stream(recorded.stream.pk, start, end)
    ]


def test_what_agrees_exits_with_zero(archive: Archive) -> None:
    recorded = record(archive)

    code, report = check("--hashes")

    assert code == 0
    assert (report["rows"], report["files"], report["differences"]) == (3, 3, {})
    assert report["row_bytes"] == report["file_bytes"] == sum(len(one) for one in files(recorded).values())


def test_a_dry_run_names_everything_and_changes_nothing(archive: Archive) -> None:
    recorded = record(archive)
    recorded.path(0).unlink()
    tear(recorded.path(1), recorded.path(1).stat().st_size - 10)
    flip(recorded.path(2), 4000)
    before = (files(recorded), list(Segment.objects.order_by("id").values()), Gap.objects.count())

    code, report = check("--hashes")

    assert code == 1
    assert counts(report) == {"missing": (1, 0), "shorter": (1, 0), "changed": (1, 0)}
    assert report["differences"]["shorter"]["bytes"] == 10
    assert report["differences"]["missing"]["examples"] == [recorded.rows()[0].path]
    assert before == (files(recorded), list(Segment.objects.order_by("id").values()), Gap.objects.count())


def test_vanished_segments_become_gaps_of_cause_disk(archive: Archive) -> None:
    recorded = record(archive)
    recorded.path(0).unlink()
    recorded.path(1).unlink()
    left = files(recorded)

    code, report = check("--fix")

    assert (code, counts(report)) == (0, {"missing": (2, 2)})
    assert timeline(recorded) == [(0, 4, "disk"), (4, 6, "recorded")]
    assert files(recorded) == left
    assert check("--hashes")[0] == 0
    assert AuditEntry.objects.get(action="storage.fix").detail == {"missing": 2}


def test_a_torn_segment_plays_up_to_where_it_is_whole(archive: Archive) -> None:
    recorded = record(archive)
    row = recorded.rows()[1]
    tear(recorded.path(1), row.fragments[1][2] + 7)
    left = files(recorded)

    code, report = check("--fix")

    row.refresh_from_db()
    kept_us = row.fragments[0][0] + row.fragments[0][1]
    assert (code, counts(report)) == (0, {"shorter": (1, 1)})
    assert (len(row.fragments), row.is_damaged, row.sha256) == (1, True, "")
    assert to_us(row.end) == to_us(row.start) + kept_us
    assert timeline(recorded)[1] == (2 + kept_us / 1_000_000, 4, "disk")
    assert files(recorded) == left
    assert check("--hashes")[0] == 0


def test_a_segment_torn_at_its_head_is_forgotten_and_its_file_stays(archive: Archive) -> None:
    recorded = record(archive)
    tear(recorded.path(1), 100)

    assert counts(check("--fix")[1]) == {"shorter": (1, 1)}

    assert timeline(recorded)[1] == (2, 4, "disk")
    assert counts(check()[1]) == {"unreadable": (1, 0)}
    assert recorded.path(1).stat().st_size == 100


def test_rotten_bytes_are_found_by_their_hash_and_the_row_says_so(archive: Archive) -> None:
    recorded = record(archive)
    flip(recorded.path(1), recorded.path(1).stat().st_size - 20)

    assert check()[0] == 0
    assert counts(check("--hashes", "--fix")[1]) == {"changed": (1, 1)}
    assert [row.is_damaged for row in recorded.rows()] == [False, True, False]
    assert check("--hashes")[0] == 0


@pytest.mark.django_db(transaction=True)  # as in a command: the rows' cursor outlives each fix's commit
def test_a_lost_index_is_made_again_from_the_files(archive: Archive) -> None:
    recorded = record(archive)
    before = [
        (row.id, row.start, row.durable_bytes, row.sha256, row.fragments, row.path) for row in recorded.rows()
    ]
    Segment.objects.all().delete()
    Gap.objects.create(
        account_id=archive.account.pk, camera_id=archive.stream.camera_id, stream=archive.stream,
        start=from_us(START_US), end=from_us(START_US + 9_000_000), cause="worker",
    )  # fmt: skip

    assert counts(check()[1]) == {"orphan": (3, 0)}
    code, report = check("--fix")

    assert (code, counts(report)) == (0, {"orphan": (3, 3)})
    assert before == [
        (row.id, row.start, row.durable_bytes, row.sha256, row.fragments, row.path) for row in recorded.rows()
    ]
    assert {row.state for row in recorded.rows()} == {SegmentState.RECOVERED}
    assert timeline(recorded) == [(0, 6, "recorded")]
    assert check("--hashes", "--fix")[1]["differences"] == {}


def test_a_file_that_comes_back_takes_its_time_back(archive: Archive) -> None:
    recorded = record(archive)
    away = recorded.root / "away"
    recorded.path(1).rename(away)
    check("--fix")
    assert timeline(recorded)[1] == (2, 4, "disk")
    away.rename(recorded.path(1))

    assert counts(check("--fix")[1]) == {"orphan": (1, 1)}

    assert timeline(recorded) == [(0, 6, "recorded")]


def test_a_moved_file_is_followed_and_a_copy_is_only_reported(archive: Archive) -> None:
    recorded = record(archive)
    target = recorded.root / "segments" / "elsewhere" / recorded.path(0).name
    target.parent.mkdir()
    recorded.path(0).rename(target)
    shutil.copy2(recorded.path(1), target.with_name("copy.mp4"))

    report = check("--fix")[1]
    again = check()[1]

    assert counts(report)["duplicate"] == (1, 0)
    assert recorded.rows()[0].path == str(target.relative_to(recorded.root))
    assert counts(again) == {"duplicate": (1, 0)}
    assert timeline(recorded) == [(0, 6, "recorded")]


def test_a_stream_that_is_gone_is_only_reported(archive: Archive) -> None:
    recorded = record(archive)
    left = files(recorded)
    archive.stream.delete()

    code, report = check("--fix", "--quarantine", "unreadable", "duplicate", "superseded")

    assert (code, counts(report)) == (1, {"no_stream": (3, 0)})
    assert files(recorded) == left


def test_an_older_owners_file_is_cut_to_what_newer_ones_leave_free(archive: Archive) -> None:
    older = record(archive, epoch=7 << 20, is_indexed=False)
    newer = record(archive, epoch=8 << 20, start_s=3, is_indexed=False)

    code, report = check("--fix")

    spans = [(row.epoch >> 20, row.start, row.end) for row in older.rows()]
    assert code == 1
    assert counts(report) == {"orphan": (6, 5)}
    assert counts(check()[1]) == {"superseded": (1, 0)}
    assert [epoch for epoch, _, _ in spans] == [7, 7, 8, 8, 8]
    assert all(one[2] <= other[1] for one, other in pairwise(spans))
    assert len(newer.rows()) == 5


def test_quarantine_moves_what_nobody_can_use_and_keeps_it(archive: Archive) -> None:
    recorded = record(archive)
    junk = recorded.path(0).with_name("junk.mp4")
    junk.write_bytes(b"no video")
    os.utime(junk, (0, 0))

    assert counts(check("--fix")[1]) == {"unreadable": (1, 0)}
    code, report = check("--fix", "--quarantine", "unreadable")

    kept = recorded.root / "quarantine" / junk.relative_to(recorded.root)
    assert (code, counts(report), report["quarantined_files"]) == (0, {"unreadable": (1, 1)}, 1)
    assert (kept.read_bytes(), junk.exists()) == (b"no video", False)
    assert check()[0] == 0


def test_files_being_written_and_rows_on_their_way_out_are_left_alone(archive: Archive) -> None:
    recorded = record(archive)
    fresh = recorded.path(0).with_name("fresh.mp4")
    fresh.write_bytes(b"begun just now")
    Segment.objects.filter(id=recorded.rows()[1].pk).update(state=SegmentState.GARBAGE)

    code, report = check("--fix")

    assert (code, report["young_files"], report["rows"], report["differences"]) == (0, 1, 2, {})


def test_an_open_segment_is_its_recorders_to_settle(archive: Archive) -> None:
    recorded = record(archive)
    row = recorded.rows()[2]
    now = from_us(time.time_ns() // 1000)
    Segment.objects.filter(id=row.pk).update(state=SegmentState.OPEN, end=now)
    recorded.path(2).unlink()

    assert counts(check("--fix")[1]) == {"missing": (1, 0)}

    Segment.objects.filter(id=row.pk).update(end=now - timedelta(hours=1))
    assert counts(check("--fix")[1]) == {"missing": (1, 1)}


def test_a_missing_or_foreign_volume_is_refused_and_nothing_changes(archive: Archive) -> None:
    recorded = record(archive)
    identity = recorded.root / "omma-volume.json"
    shutil.rmtree(recorded.root / "segments")

    for content in (json.dumps({"volume_id": str(uuid7()), "format": 1}), "nonsense", None):
        identity.unlink(missing_ok=True)
        if content is not None:
            identity.write_text(content)
        code, report = check("--fix", "--accept-loss")

        assert (code, report["was_checked"], report["differences"]) == (2, False, {})
        assert "is not this volume" in report["refusal"]
    assert (Segment.objects.count(), Gap.objects.filter(cause="disk").count()) == (3, 0)


def test_a_volume_that_goes_away_during_the_check_is_not_believed(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record(archive)
    confirmed = losses.confirmed
    recorded.path(0).unlink()

    def unmount(*given: Any) -> Any:
        found = confirmed(*given)
        (recorded.root / "omma-volume.json").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(check_module, "confirmed", unmount)
    code, report = check("--fix")

    assert (code, report["was_checked"]) == (2, False)
    assert Segment.objects.count() == 3


def test_losing_most_files_at_once_is_not_believed_unless_told(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = record(archive)
    monkeypatch.setattr(check_module, "ALARMING_LOSS", 1)
    shutil.rmtree(recorded.root / "segments")

    code, report = check("--fix")
    assert (code, counts(report), Segment.objects.count()) == (1, {"missing": (3, 0)}, 3)
    assert "3 of 3 files are missing" in report["refusal"]

    assert check("--fix", "--accept-loss")[0] == 0
    assert timeline(recorded) == [(0, 6, "disk")]


def test_retention_deletes_nothing_because_the_index_is_empty(archive: Archive) -> None:
    recorded = record(archive)
    left = files(recorded)
    Segment.objects.all().delete()

    retention.run(from_us(START_US) + timedelta(days=1))

    assert files(recorded) == left


def test_two_checks_exclude_each_other(archive: Archive) -> None:
    with own_connections.connect("another check") as connection:
        assert try_lock(connection, STORAGE_CHECK)

        with pytest.raises(CommandError, match="Another storage check is running"):
            check()

    assert check()[0] == 0


def test_one_volume_by_name_and_words_for_people(archive: Archive) -> None:
    recorded = record(archive)
    recorded.path(0).unlink()
    Volume.objects.create(name="other", root="/nowhere/at/all")
    out = io.StringIO()

    with pytest.raises(SystemExit, match="1"):
        call_command("storage", "check", "--volume", archive.volume.name, stdout=out)
    with pytest.raises(CommandError, match="There is no volume 'x'"):
        call_command("storage", "check", "--volume", "x")
    with pytest.raises(CommandError, match="need --fix"):
        call_command("storage", "check", "--quarantine", "unreadable")

    assert "missing: 1 (" in out.getvalue()
    assert "other" not in out.getvalue()


def test_a_check_costs_the_same_queries_however_many_segments_agree(
    archive: Archive, django_assert_num_queries: Any
) -> None:
    record(archive)
    volume = archive.volume
    with django_assert_num_queries(1):
        check_module._Round(volume, check_module.CheckOptions(), is_dry=True).run()
