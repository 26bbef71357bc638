"""The journal: news on disk before they are said, and again until they are acknowledged."""

import os
from pathlib import Path
from uuid import uuid4

import pytest

from omma_engine.capture.journal import Journal, forget, journal_path, mark_acked, pending, read_journal

SOURCE = uuid4()


def test_what_a_life_left_is_read_back_in_order(tmp_path: Path) -> None:
    for epoch in (12, 3):
        journal = Journal(journal_path(tmp_path, SOURCE, epoch))
        journal.append({"kind": "gap", "n": epoch})
        journal.append({"kind": "state", "n": epoch})
        journal.ack(1)

    left = list(pending(tmp_path))

    assert [(each.source_id, each.epoch) for each in left] == [(SOURCE, 3), (SOURCE, 12)]
    assert [item.sequence for item in left[0].items] == [1, 2]
    assert left[1].items[1].payload == {"kind": "state", "n": 12}


def test_marking_and_forgetting_end_a_journal(tmp_path: Path) -> None:
    path = journal_path(tmp_path, SOURCE, 5)
    journal = Journal(path)
    for number in range(3):
        journal.append({"kind": "gap", "n": number})

    mark_acked(path, 2)
    assert [item.sequence for item in read_journal(path).items] == [3]
    forget(path)

    assert list(pending(tmp_path)) == []
    assert not path.parent.exists()


def test_a_torn_last_line_is_no_line(tmp_path: Path) -> None:
    path = journal_path(tmp_path, SOURCE, 5)
    Journal(path).append({"kind": "gap"})
    with path.open("ab") as file:
        file.write(b'{"sequence": 2, "payload": {"ki')

    assert [item.sequence for item in read_journal(path).items] == [1]


def test_a_journal_that_is_all_acknowledged_begins_afresh_and_is_deleted_at_the_end(tmp_path: Path) -> None:
    path = journal_path(tmp_path, SOURCE, 5)
    journal = Journal(path)
    for number in range(3000):
        journal.append({"kind": "segment_progress", "words": "x" * 100, "n": number})

    journal.ack(3000)
    assert path.stat().st_size < 100
    assert journal.append({"kind": "gap"}) == 3001
    assert [item.sequence for item in read_journal(path).items] == [3001]
    journal.ack(3001)
    journal.close()

    assert not path.exists()


def test_lines_that_the_disk_refused_are_written_when_it_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(journal_path(tmp_path, SOURCE, 5))
    journal.append({"n": 1})
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:4]))
    journal.append({"n": 2})
    journal.append({"n": 3})
    monkeypatch.setattr(os, "write", real)

    journal.append({"n": 4})

    items = read_journal(journal_path(tmp_path, SOURCE, 5)).items
    assert [item.payload["n"] for item in items] == [1, 2, 3, 4]


def test_a_journal_that_moves_takes_along_what_its_disk_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (journal_path(tmp_path / name, SOURCE, 5) for name in ("a", "b"))
    journal = Journal(first)
    journal.append({"n": 1})
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:4]))
    journal.append({"n": 2})
    monkeypatch.setattr(os, "write", real)

    journal.move(second)
    journal.append({"n": 3})

    assert [item.payload["n"] for item in read_journal(first).items] == [1]
    assert [item.payload["n"] for item in read_journal(second).items] == [2, 3]
    journal.ack(3)
    journal.close()
    assert not first.exists()
    assert not second.exists()


def test_a_folder_that_is_no_volume_gets_no_journal(tmp_path: Path) -> None:
    journal = Journal(journal_path(tmp_path / "a", SOURCE, 5), keeps_off=lambda root: root.name == "a")
    journal.append({"n": 1})

    journal.move(journal_path(tmp_path / "b", SOURCE, 5))

    assert not (tmp_path / "a").exists()
    assert [item.payload["n"] for item in read_journal(journal_path(tmp_path / "b", SOURCE, 5)).items] == [1]
