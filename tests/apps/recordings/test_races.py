"""Retention at the same time as players and people: whole clips or none, and nothing held is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection
from pytest_django import Settings

from apps.accounts.actors import system_actor
from apps.core.exceptions import NotVisibleError
from apps.core.times import to_us
from apps.recordings import retention, services
from apps.recordings.clips import cache_folder, clip_of_range
from apps.recordings.models import CauseKind, Recording, RecordingState, RetentionPolicy
from apps.streams.models import Segment
from tests.apps.recordings.archive import Archive, at, make_archive
from tests.engine.playback.footage import read_numbers

pytestmark = pytest.mark.django_db(transaction=True)
LATER = at(3 * 3600)


@pytest.fixture
def rounds(tmp_path: Path, settings: Settings) -> Iterator[Archive]:
    """Return fresh archives, one a round: races show in some of several tries only."""
    settings.OMMA_DATA_DIR = tmp_path / "data"
    return (_limited_archive(tmp_path / str(number)) for number in range(5))


def _limited_archive(root: Path) -> Archive:
    archive = make_archive(root)
    RetentionPolicy.objects.create(account=archive.account, max_age_hours=1)
    return archive


def together(*works: Callable[[], object]) -> list[object]:
    barrier = Barrier(len(works))

    def run(work: Callable[[], object]) -> object:
        try:
            barrier.wait(timeout=10)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


@pytest.mark.fault("F29")
def test_clips_built_while_footage_expires_are_whole_or_absent(rounds: Iterator[Archive]) -> None:
    for archive in rounds:
        rows = archive.record(0, *[2] * 8)
        play = partial(_play, archive)

        found = together(play, lambda: retention.run(LATER), play, play)

        assert all(one[0] == "whole" for one in found if isinstance(one, tuple)), found
        assert not Segment.objects.filter(id__in=[row.id for row in rows]).exists()
        assert not list(cache_folder().glob("*.part"))


def _play(archive: Archive) -> tuple[str, list[int]] | None:
    """Return the pictures of what can be played, or None where nothing can be."""
    try:
        built = clip_of_range(archive.stream.pk, at(0), at(16))
    except NotVisibleError:
        return None
    first = (built.selection.start_us - to_us(at(0))) // 100_000
    numbers = [number for number, _ in read_numbers(built.clip.path)]
    return ("whole" if numbers == list(range(first, 160)) else "torn"), numbers


def test_recording_held_in_time_keeps_all_its_footage(rounds: Iterator[Archive]) -> None:
    for archive in rounds:
        archive.record(0, 2, 2)
        recording = Recording.objects.create(
            account=archive.account, camera=archive.stream.camera, stream=archive.stream, number=1,
            state=RecordingState.DONE, cause_kind=CauseKind.RULE, wanted_start=at(1), start=at(1), end=at(4),
        )  # fmt: skip

        is_held, _ = together(partial(_hold, recording), lambda: retention.run(LATER))

        assert Recording.objects.filter(pk=recording.pk, is_held=True).exists() is is_held
        assert archive.stream.segments.count() == (2 if is_held else 0)
        assert len(list(archive.root.glob("*.mp4"))) == (2 if is_held else 0)


def _hold(recording: Recording) -> bool:
    try:
        services.hold_recording(actor=system_actor(), recording=recording)
    except NotVisibleError:
        return False
    return True
