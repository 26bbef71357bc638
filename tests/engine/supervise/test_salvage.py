"""Journals of ended lives come home; that of a living one is left alone."""

from pathlib import Path
from uuid import UUID

import pytest

from omma_engine.capture.journal import Journal, journal_path
from omma_engine.ids import uuid7
from omma_engine.supervise.capture_salvage import CaptureSalvager, Place

EPOCH = (3 << 20) + 1


@pytest.fixture
def source() -> UUID:
    return uuid7()


@pytest.fixture
def salvager(tmp_path: Path) -> CaptureSalvager:
    stream_id = uuid7()
    return CaptureSalvager(lambda _: [Place(tmp_path, stream_id)])


def journal_of(root: Path, source: UUID, epoch: int = EPOCH) -> Journal:
    journal = Journal(journal_path(root, source, epoch))
    for number in range(3):
        journal.append({"kind": "state", "number": number})
    journal.ack(1)
    return journal


def test_an_ended_lifes_unacknowledged_news_are_returned_and_then_forgotten(
    tmp_path: Path, source: UUID, salvager: CaptureSalvager
) -> None:
    journal_of(tmp_path, source).close()

    items = salvager.after_exit(source, EPOCH) or []
    assert [(item.epoch, item.payload["number"]) for item in items][-2:] == [(EPOCH, 1), (EPOCH, 2)]

    salvager.settled(source, EPOCH)
    assert salvager.after_exit(source, EPOCH) == []
    assert not journal_path(tmp_path, source, EPOCH).exists()


def test_a_living_journal_is_not_salvaged(tmp_path: Path, source: UUID, salvager: CaptureSalvager) -> None:
    journal = journal_of(tmp_path, source)

    lives = list(salvager.earlier(source, 4 << 20))
    salvager.settled(source, EPOCH)

    assert lives == [(EPOCH, None)]
    assert journal_path(tmp_path, source, EPOCH).exists()
    assert len(salvager.unsaid(source, EPOCH)) >= 2
    journal.close()


def test_only_earlier_lives_are_salvaged_after_a_claim(
    tmp_path: Path, source: UUID, salvager: CaptureSalvager
) -> None:
    for epoch in (EPOCH, EPOCH + 1, 9 << 20):
        journal_of(tmp_path, source, epoch).close()

    lives = list(salvager.earlier(source, 4 << 20))

    assert [epoch for epoch, _ in lives] == [EPOCH, EPOCH + 1]
