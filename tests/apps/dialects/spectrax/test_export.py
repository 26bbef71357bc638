"""Recordings as SpectraX's own SQLite file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.dialects.spectrax.models import SpectraxClip
from tests import factories
from tests.apps.dialects.spectrax.yard import Seen, Yard, add_recording


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        yield database


@pytest.fixture
def exported(yard: Yard, tmp_path: Path) -> Path:
    add_recording(yard.front, 0, 10, [Seen("person", 0.95, 42), Seen("car", 0.5, 15)])
    add_recording(yard.back, 60, 75.5, [Seen("dog", 0.8, 7)])
    add_recording(yard.back, 120, 130)
    SpectraxClip.objects.filter(recording__number=3).delete()  # one that was not described yet
    call_command("dialect", "export-sqlite", str(tmp_path / "recordings.db"))
    return tmp_path / "recordings.db"


def test_rows_are_what_the_api_lists(yard: Yard, exported: Path) -> None:
    with opened(exported) as database:
        rows = [dict(row) for row in database.execute("SELECT * FROM recordings ORDER BY id")]
        indexes = {
            row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        }

    first = yard.get("/api/recordings/1")
    assert rows[0].pop("created_at")
    assert rows[0] == {
        "id": 1,
        "timestamp": "2026-11-20T12:00:00.000000",
        "stream_path": "video/front-door",
        "duration_seconds": 10.0,
        "file_path": first["file_path"],
        "file_size_bytes": 0,
        "objects_detected": rows[0]["objects_detected"],
        "tracker_ids": "[42, 15]",
        "max_confidence": 0.95,
    }
    assert [(row["stream_path"], row["tracker_ids"]) for row in rows[1:]] == [
        ("video/backyard", "[7]"),
        ("video/backyard", None),
    ]
    assert indexes == {"idx_timestamp", "idx_stream_path", "idx_tracker_ids"}


@pytest.mark.shared
def test_the_documented_query_finds_a_tracker(exported: Path, seed: str) -> None:
    begin = seed.index("SELECT * FROM recordings")
    query = seed[begin : seed.index('"', begin)]

    with opened(exported) as database:
        assert [row["id"] for row in database.execute(query)] == [1]


def test_only_the_named_account_is_exported(yard: Yard, exported: Path, tmp_path: Path) -> None:
    factories.make_account("Empty")

    call_command("dialect", "export-sqlite", str(tmp_path / "empty.db"), "--account", "Empty")

    with opened(tmp_path / "empty.db") as database:
        assert database.execute("SELECT count(*) FROM recordings").fetchone()[0] == 0


def test_a_failed_export_leaves_nothing_and_takes_nothing_away(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exported.read_bytes()
    monkeypatch.setattr("apps.dialects.spectrax.export._INSERT", "INSERT INTO nothing VALUES (1)")

    for target in (exported, tmp_path / "new.db", tmp_path / "absent" / "x.db"):
        with pytest.raises(CommandError):
            call_command("dialect", "export-sqlite", str(target))

    assert exported.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*.db*")) == ["recordings.db"]
    assert not list(tmp_path.glob(".*.part"))
