"""A match fires its rule once, and the recording goes on while the match does."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from apps.accounts.actors import system_actor
from apps.core import outbox
from apps.core.outbox_dispatch import Dispatcher
from apps.core.times import to_us
from apps.recordings import services as recording_services
from apps.recordings.growing import grow, growing_ids
from apps.recordings.models import Recording, RecordingState
from apps.rules import firing, services
from apps.rules.firing import MatchNews, handle_match
from apps.rules.models import Rule, RuleFiring
from omma_engine.ids import uuid7
from tests.apps.recordings.archive import Archive, at, make_archive


@pytest.fixture
def archive(tmp_path: Path, settings: Settings, db: None) -> Archive:
    settings.OMMA_DATA_DIR = tmp_path / "data"
    return make_archive(tmp_path / "volume")


def make_rule(archive: Archive, **values: Any) -> Rule:
    values = {"name": "People", "labels": ["person"], "all_cameras": True, **values}
    return services.create_rule(actor=system_actor(), account=archive.account, **values)


def news(rule: Rule, archive: Archive, start_s: float, end_s: float, **values: Any) -> MatchNews:
    fields: dict[str, Any] = {
        "rule_id": rule.pk,
        "event_id": uuid7(),
        "stream_id": archive.stream.pk,
        "camera_id": archive.stream.camera_id,
        "label": "person",
        "confidence": 0.8,
        "at": at(start_s),
        "until": at(end_s),
    }
    return MatchNews(**{**fields, **values})


def later(match: MatchNews, end_s: float) -> MatchNews:
    return MatchNews(
        match.rule_id,
        match.event_id,
        match.stream_id,
        match.camera_id,
        match.label,
        match.confidence,
        match.at,
        at(end_s),
    )


def test_match_records_from_pre_roll_to_post_roll_and_extends(archive: Archive) -> None:
    archive.add_rows(0, 60, 60)
    rule = make_rule(archive)
    match = news(rule, archive, 30, 31)

    first = handle_match(match)
    handle_match(later(match, 50))
    for recording_id in growing_ids():
        grow(recording_id, at(70))

    recording = Recording.objects.get()
    assert first is not None
    assert (first.outcome, first.recording_id, first.at) == ("recorded", recording.pk, at(30))
    assert (recording.state, recording.start, recording.end) == (RecordingState.DONE, at(20), at(60))
    assert (recording.cause_id, recording.cause_name, recording.labels) == (rule.pk, "People", ["person"])
    assert RuleFiring.objects.count() == 1


def test_rolls_of_the_rule_replace_the_streams(archive: Archive) -> None:
    archive.add_rows(0, 60)

    handle_match(news(make_rule(archive, pre_roll_s=3, post_roll_s=0), archive, 30, 31))

    recording = Recording.objects.get()
    assert (recording.wanted_start, recording.until) == (at(27), at(31))


def test_same_news_twice_is_one_firing_and_one_recording(archive: Archive) -> None:
    archive.add_rows(0, 60)
    match = news(make_rule(archive), archive, 30, 31)

    handle_match(match)
    before = list(Recording.objects.values("start", "until", "labels", "confidence"))
    handle_match(match)

    assert RuleFiring.objects.count() == 1
    assert list(Recording.objects.values("start", "until", "labels", "confidence")) == before


def test_cooldown_keeps_quiet_per_camera(archive: Archive, tmp_path: Path) -> None:
    archive.add_rows(0, 60, 60)
    other = make_archive(tmp_path / "volume", archive.account)
    other.add_rows(0, 60, 60)
    rule = make_rule(archive, cooldown_s=60)

    matches = [
        news(rule, archive, 10, 11), news(rule, archive, 50, 51), news(rule, other, 50, 51),
        news(rule, archive, 71, 72),
    ]  # fmt: skip
    outcomes = [found.outcome for match in matches if (found := handle_match(match))]

    assert outcomes == ["recorded", "cooldown", "recorded", "recorded"]
    quiet = RuleFiring.objects.get(outcome="cooldown")
    assert (quiet.recording_id, quiet.reason) == (None, "it fired less than 60 s before")


@pytest.mark.parametrize(
    ("values", "mode", "outcome"),
    [({"is_enabled": False}, "events", "off"), ({"records": False}, "events", "noted"), ({}, "off", "noted")],
)
def test_rule_that_does_not_record_says_why(
    archive: Archive, values: dict[str, Any], mode: str, outcome: str
) -> None:
    archive.stream.mode = mode
    archive.stream.save()

    found = handle_match(news(make_rule(archive, **values), archive, 30, 31))

    assert found is not None
    assert found.outcome == outcome
    assert found.reason
    assert not Recording.objects.exists()


def test_main_stream_is_recorded_when_another_is_looked_at(archive: Archive) -> None:
    sub = type(archive.stream).objects.create(
        account=archive.account, camera=archive.stream.camera, source=archive.stream.source, name="sub"
    )

    handle_match(news(make_rule(archive), archive, 30, 31, stream_id=sub.pk))

    assert Recording.objects.get().stream_id == archive.stream.pk


def test_match_of_a_deleted_rule_does_nothing(archive: Archive) -> None:
    rule = make_rule(archive)
    match = news(rule, archive, 30, 31)
    services.delete_rule(actor=system_actor(), rule=rule)

    assert handle_match(match) is None
    assert not RuleFiring.objects.exists()


def test_old_firings_are_forgotten(archive: Archive) -> None:
    rule = make_rule(archive, records=False)
    for start_s in (0, 3600):
        handle_match(news(rule, archive, start_s, start_s + 1))

    assert firing.forget_old_firings(at(1800) + timedelta(days=90)) == "1 firings"

    assert RuleFiring.objects.get().at == at(3600)


@pytest.mark.django_db(transaction=True)
def test_outbox_brings_matches_and_deletions(archive: Archive) -> None:
    archive.add_rows(0, 60)
    rule = make_rule(archive)
    event_id = uuid7()
    payload = {
        "phase": "start", "rule_id": str(rule.pk), "event_id": str(event_id), "label": "person",
        "confidence": 0.7,        "stream_id": str(archive.stream.pk),
        "camera_id": str(archive.stream.camera_id),
        "track_number": 3, "at_us": to_us(at(30)), "until_us": to_us(at(32)),
    }  # fmt: skip
    with transaction.atomic():
        outbox.publish("rule.matched", subject_kind="event", subject_id=event_id, payload=payload)

    Dispatcher().deliver()
    recording = Recording.objects.get()
    assert RuleFiring.objects.get().recording_id == recording.pk
    recording_services.delete_recording(actor=system_actor(), recording=recording)
    Dispatcher().deliver()

    assert RuleFiring.objects.get().recording_id is None


@pytest.mark.django_db(transaction=True)
def test_same_news_at_the_same_time_fires_once(archive: Archive) -> None:
    archive.add_rows(0, 60)
    match = news(make_rule(archive), archive, 30, 31)
    barrier = Barrier(3)

    def take(_: int) -> UUID | None:
        try:
            barrier.wait(timeout=10)
            found = handle_match(match)
            return found.pk if found else None
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        ids = set(pool.map(take, range(3)))

    assert ids == {RuleFiring.objects.get().pk}
    assert Recording.objects.count() == 1
