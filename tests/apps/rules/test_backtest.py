"""Back-tests: what a rule would have done, and nothing of it done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Account
from apps.core.models import Outbox
from apps.inference.analyses.models import Analysis
from apps.inference.models import Event, Track
from apps.rules.models import Rule, RuleFiring
from apps.streams.models import Stream
from omma_engine.ids import uuid7
from tests.apps.inference.rows import make_stream
from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)
LEFT_HALF = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]


@pytest.fixture
def home() -> Account:
    return make_account()


@pytest.fixture
def stream(home: Account) -> Stream:
    return make_stream(home)


def make_rule(home: Account, **values: Any) -> Rule:
    facts = {"labels": ["person"], "min_confidence": 0.5, "all_cameras": True, "name": "Somebody", **values}
    return Rule.objects.create(account=home, **facts)


def walk(
    stream: Stream, at_s: float, *, label: str = "person", confidence: float = 0.8, seconds: int = 10
) -> Track:
    """Store a track that goes from the left edge of the picture to the right one."""
    start = START + timedelta(seconds=at_s)
    return Track.objects.create(
        id=uuid7(round(start.timestamp() * 1000)), account_id=stream.account_id, camera_id=stream.camera_id,
        stream_id=stream.pk, analytic_id=uuid7(), number=int(at_s), label=label, confidence=confidence,
        start=start, end=start + timedelta(seconds=seconds), is_live=False, best_at=start,
        best_box=[0, 0, 0.1, 0.5], path=[[0, 0.0, 0.5], [seconds * 1000, 1.0, 0.5]],
    )  # fmt: skip


def ask(client: Client, rule: Rule, stream: Stream, **changes: Any) -> Any:
    body = {
        "stream": str(stream.pk),
        "start": START.isoformat(),
        "end": (START + timedelta(hours=1)).isoformat(),
        **changes,
    }
    return client.post(f"/api/v1/rules/{rule.pk}/backtest/", body, content_type="application/json")


def client_of(home: Account, role: str = "operator") -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(make_member(home, role).user)
    return client


def test_stored_tracks_are_judged_by_labels_confidence_zone_and_duration(
    home: Account, stream: Stream
) -> None:
    walk(stream, 0)
    walk(stream, 100, label="dog")
    walk(stream, 200, confidence=0.4)
    walk(stream, 300, seconds=2)
    rule = make_rule(home, polygon=LEFT_HALF, min_duration_s=3.0)

    answer = ask(client_of(home), rule, stream)

    assert answer.status_code == 200
    (fired,) = answer.json()["firings"]
    assert (fired["label"], fired["outcome"], fired["track_number"]) == ("person", "recorded", 0)
    lasted = datetime.fromisoformat(fired["until"]) - datetime.fromisoformat(fired["at"])
    assert lasted.total_seconds() == pytest.approx(5, abs=0.6)  # half of the way
    assert "person at 0.80 (wanted 0.50) in the zone" in fired["why"]


def test_a_cool_down_and_a_rule_that_records_nothing_show(home: Account, stream: Stream) -> None:
    for at_s in (0, 30, 100):
        walk(stream, at_s)
    rule = make_rule(home, cooldown_s=60, records=False)

    fired = ask(client_of(home), rule, stream).json()["firings"]

    assert [each["outcome"] for each in fired] == ["noted", "cooldown", "noted"]


def test_a_back_test_does_nothing(home: Account, stream: Stream) -> None:
    walk(stream, 0)
    rule = make_rule(home)
    news = Outbox.objects.count()

    assert len(ask(client_of(home), rule, stream).json()["firings"]) == 1

    assert (Event.objects.count(), RuleFiring.objects.count(), Analysis.objects.count()) == (0, 0, 0)
    assert Outbox.objects.count() == news


def test_bad_requests_name_their_field(home: Account, stream: Stream) -> None:
    rule, fast = make_rule(home), make_rule(home, condition={"kind": "speed", "at_least_kmh": 20})
    foreign = make_stream(make_account("Other"))
    client = client_of(home)

    refusals = {
        "stream": ask(client, rule, foreign),
        "end": ask(client, rule, stream, end=START.isoformat()),
        "over": ask(client, fast, stream),
        "start": ask(client, rule, stream, start="yesterday"),
    }
    not_analysed = ask(client, rule, stream, over="footage")

    assert {name: [*answer.json()["error"]["fields"]] for name, answer in refusals.items()} == {
        name: [name] for name in refusals
    }
    assert [*not_analysed.json()["error"]["fields"]] == ["stream"]
    assert ask(client_of(home, "viewer"), rule, stream).status_code == 403
    assert ask(client_of(make_account("Third")), rule, stream).status_code == 404


def test_the_result_of_footage_is_told_when_it_is_there(home: Account, stream: Stream) -> None:
    rule, other = make_rule(home, cooldown_s=60), make_rule(home, name="Other")
    at_us = {at_s: round((START.timestamp() + at_s) * 1e6) for at_s in (0, 5, 6)}
    matches = [
        {"rule_id": str(each.pk), "at_us": at_us[at_s], "until_us": at_us[at_s], "label": "person",
         "confidence": 0.9, "track_number": at_s}
        for each, at_s in ((rule, 0), (rule, 5), (other, 6))
    ]  # fmt: skip
    analysis = Analysis.objects.create(
        account=home, camera=stream.camera, stream=stream, mode="backtest", start=START,
        end=START + timedelta(hours=1), fingerprint="x",
    )  # fmt: skip
    address = f"/api/v1/rules/{rule.pk}/backtest/{analysis.pk}/"
    client = client_of(home)

    early = client.get(address)
    Analysis.objects.update(result={"matches": matches})
    told = client.get(address)

    assert (early.status_code, early.json()["error"]["code"]) == (409, "no_result_yet")
    assert [each["outcome"] for each in told.json()["firings"]] == ["recorded", "cooldown"]
    assert client.get(f"/api/v1/rules/{rule.pk}/backtest/{rule.pk}/").status_code == 404
