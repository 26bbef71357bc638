"""Causes at the same time: one recording, whoever comes first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from django.db import connection
from pytest_django import Settings

from apps.recordings.growing import Cause, Sighting, grow, open_or_extend
from apps.recordings.models import CauseKind, Recording
from omma_engine.ids import uuid7
from tests.apps.recordings.archive import at, make_archive


@pytest.mark.django_db(transaction=True)
def test_two_subscribers_open_one_recording(tmp_path: Path, settings: Settings) -> None:
    settings.OMMA_DATA_DIR = tmp_path / "data"
    archive = make_archive(tmp_path / "volume")
    archive.add_rows(0, 60)
    barrier = Barrier(4)

    def fire(index: int) -> UUID:
        try:
            barrier.wait(timeout=10)
            sighting = Sighting(at(20), at(20 + index), f"label{index}", 0.5)
            cause = Cause(CauseKind.RULE, uuid7(), f"rule {index}")
            recording = open_or_extend(stream_id=archive.stream.pk, cause=cause, sighting=sighting)
            grow(recording.pk, at(25))
            return recording.pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(fire, range(4)))

    recording = Recording.objects.get()
    assert ids == {recording.pk}
    assert recording.labels == ["label0", "label1", "label2", "label3"]
    assert recording.until == at(33)
