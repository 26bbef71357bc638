"""From a person in the picture to a row in SpectraX's list, and out of it again: XC15."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from apps.accounts.access import system_actor
from apps.catalog.services import builtin_version
from apps.core.outbox_dispatch import Dispatcher
from apps.core.times import to_us
from apps.dialects.spectrax import clips
from apps.dialects.spectrax.models import SpectraxClip
from apps.inference import match_news, track_news
from apps.inference.models import Analytic
from apps.recordings import retention
from apps.recordings.growing import grow, growing_ids
from apps.recordings.models import RetentionPolicy
from apps.rules.services import create_rule
from omma_engine.ids import uuid7
from tests.apps.dialects.spectrax.yard import Yard, add_recording
from tests.apps.inference.rows import Host
from tests.apps.recordings.archive import at

pytestmark = pytest.mark.django_db(transaction=True)


def deliver_news() -> None:
    """Hand all news to their subscribers, as the worker does."""
    dispatcher = Dispatcher()
    while dispatcher.deliver():
        pass


def see_person(yard: Yard, rule_id: UUID, start_s: float, end_s: float, number: int) -> None:
    """Commit a host's news of a person who came and went, and let what follows happen."""
    stream = yard.front.stream
    analytic, _ = Analytic.objects.get_or_create(
        account=yard.account, camera=stream.camera, stream=stream, number=0,
        defaults={"name": "people", "model_version": builtin_version("people")},
    )  # fmt: skip
    host = Host(analytic)
    start_us, end_us = to_us(at(start_s)), to_us(at(end_s))
    times = {"start_us": start_us, "end_us": end_us, "best_us": start_us}
    track: dict[str, Any] = {"number": number, "confidence": 0.83, **times}
    event_id = uuid4()
    match: dict[str, Any] = {"rule_id": str(rule_id), "at_us": start_us, "confidence": 0.83}
    with transaction.atomic():
        track_news.apply(analytic, [host.track("close", track_id=uuid7(start_us // 1000), **track).payload])
        for phase, until_us in (("start", start_us), ("update", end_us), ("end", end_us)):
            news = host.match(phase, event_id=event_id, **match)
            match_news.apply(analytic, {**news.payload, "until_us": until_us})
    deliver_news()
    for recording_id in growing_ids():
        grow(recording_id, at(end_s + 60))
    deliver_news()


def test_xc15_a_person_makes_one_recording_that_the_quota_takes_away(yard: Yard) -> None:
    yard.front.add_rows(0, 60, 60, size_bytes=1000)
    rule = create_rule(
        actor=system_actor(), account=yard.account, name="People", labels=["person"], all_cameras=True
    )

    see_person(yard, rule.pk, 30, 34, number=42)

    body = yard.get("/api/recordings")
    (found,) = body["recordings"]
    assert body["total"] == 1
    assert found["timestamp"] == "2026-11-20T12:00:20.000000"
    assert found["duration"] == 24.0  # ten seconds before, four of the person, ten after
    assert found["objects_detected"][0] == {
        "class": "person", "confidence": 0.83, "bbox": [16, 19, 48, 77], "tracker_id": 42,
    }  # fmt: skip
    assert json.loads(found["tracker_ids"]) == [42]

    yard.front.add_rows(600, 60, 60, size_bytes=1000)
    see_person(yard, rule.pk, 630, 634, number=43)
    assert yard.get("/api/recordings")["total"] == 2
    RetentionPolicy.objects.create(account=yard.account, max_bytes=2300)
    retention.run(at(700))
    deliver_news()

    body = yard.get("/api/recordings")
    assert [one["tracker_ids"] for one in body["recordings"]] == ["[43]"]
    assert yard.client.get(f"/api/recordings/{found['id']}").status_code == 404
    assert yard.get("/api/recordings/stats")["total_recordings"] == body["total"] == 1


def test_recordings_from_before_are_described_by_the_job(yard: Yard) -> None:
    add_recording(yard.front, 0, 10)
    SpectraxClip.objects.all().delete()
    assert yard.get("/api/recordings")["total"] == 0

    assert clips.catch_up() == "1 described"

    assert yard.get("/api/recordings")["total"] == 1
    assert clips.catch_up() == "0 described"
