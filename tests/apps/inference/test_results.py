"""What counting analytics say becomes events and outbox rows, once."""

from typing import Any

import pytest

from apps.core.models import Outbox
from apps.inference.models import Analytic, Event
from apps.inference.sinks import InferenceSink
from omma_engine.ids import uuid7
from tests.apps.inference.rows import BLOCK, START_US, Host, hold_lease, make_analytic, make_stream
from tests.factories import make_account

pytestmark = pytest.mark.django_db
SINK = InferenceSink()
CROWD = uuid7(START_US // 1000)


def counting(**values: Any) -> Analytic:
    row = make_analytic(
        make_stream(make_account()), kind="people_count", label="entrance", labels=["person"], counting=values
    )
    hold_lease(row)
    return row


def told() -> list[dict[str, Any]]:
    return [row.payload for row in Outbox.objects.filter(kind="analytic.result").order_by("id")]


def test_a_result_carries_who_saw_what_where_and_when() -> None:
    analytic = counting(coordinates=True, overview=True)

    SINK.commit([Host(analytic).result("start", event_id=CROWD, at_s=2)])

    (payload,) = told()
    assert payload == {
        "kind": "people_count",
        "phase": "start",
        "event_id": str(CROWD),
        "analytic_id": str(analytic.pk),
        "analytic_number": 0,
        "analytic_label": "entrance",
        "stream_id": str(analytic.stream_id),
        "camera_id": str(analytic.camera_id),
        "account_id": str(analytic.account_id),
        "start_us": START_US,
        "at_us": START_US + 2_000_000,
        "count": 3,
        "highest": 4,
        "counts": {"person": 3},
        "regions": [{"name": "queue", "count": 3}],
        "width": 640,
        "height": 360,
        "coordinates": [[0.1, 0.9]],
        "image": "thumbnails/events/20260101/x.jpg",
    }
    assert not Event.objects.exists()


def test_what_was_not_asked_for_is_not_told() -> None:
    host = Host(counting())

    SINK.commit([host.result(event_id=CROWD), host.result("end", event_id=CROWD, is_told=False)])

    (payload,) = told()
    assert "coordinates" not in payload
    assert "image" not in payload


def test_the_same_news_again_change_nothing() -> None:
    host = Host(counting(at_least=2))
    items = [host.result("start", event_id=CROWD), host.result(event_id=CROWD, at_s=10)]

    SINK.commit(items)
    SINK.commit(items)

    assert [payload["phase"] for payload in told()] == ["start", "period"]
    assert Event.objects.count() == 1


def test_a_bounded_count_is_an_event_from_its_beginning_to_its_end() -> None:
    analytic = counting(at_least=2)
    host = Host(analytic)

    SINK.commit(
        [host.result("start", event_id=CROWD), host.result("end", event_id=CROWD, at_s=30, is_told=False)]
    )

    event = Event.objects.get(pk=str(CROWD))
    assert (event.kind, event.cause_kind, event.cause_id) == ("detection", "analytic", analytic.pk)
    assert (event.cause_name, event.label, event.detail["highest"]) == ("entrance", "person", 4)
    assert event.end is not None
    assert (event.end - event.start).total_seconds() == 30
    kinds = Outbox.objects.filter(subject_id=CROWD).values_list("kind", flat=True)
    assert sorted(kinds) == ["event.created", "event.updated"]


def test_a_new_life_ends_what_the_last_one_left_open_and_is_heard_again() -> None:
    analytic = counting(at_least=2)
    SINK.commit([Host(analytic).result("start", event_id=CROWD, at_s=7)])
    next_crowd = uuid7(START_US // 1000 + 1)

    SINK.commit([Host(analytic, BLOCK + 2).result("start", event_id=next_crowd)])

    left = Event.objects.get(pk=str(CROWD))
    assert left.end is not None
    assert (left.end - left.start).total_seconds() == 7
    assert Event.objects.get(pk=str(next_crowd)).end is None
    assert len(told()) == 2
