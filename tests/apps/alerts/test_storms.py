"""Thousands of news: bounded writes, and an exact count."""

import json
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.alerts import queueing
from apps.alerts.models import Delivery, TargetState
from apps.core import outbox
from apps.core.models import Outbox
from apps.core.outbox import OutboxRow
from apps.core.outbox_dispatch import Dispatcher
from omma_engine.ids import uuid7
from tests.apps.alerts.conftest import House, MakeTarget, fire, hand_over, send
from tests.apps.alerts.sink import Sink, answer


def storm(house: House, count: int) -> None:
    """Write that much news at once."""
    with transaction.atomic():
        Outbox.objects.bulk_create(
            Outbox(
                kind="rule.fired",
                subject_kind="rule_firing",
                subject_id=uuid7(),
                account_id=house.account.pk,
                camera_ids=[str(house.door.pk)],
                payload={"rule_id": str(house.rule.pk), "number": number},
            )
            for number in range(count)
        )


def close_digests() -> None:
    """Let the time pass that digests take in news."""
    Delivery.objects.filter(kind="digest").update(closes_at=timezone.now())
    TargetState.objects.update(next_at=timezone.now())


def test_what_comes_too_often_is_summed_up_with_an_exact_count(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    make_target(per_minute=5)
    storm(house, 1000)
    rows = [OutboxRow.of(row) for row in Outbox.objects.order_by("xid", "id")]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        for start in range(0, 1000, 200):
            queueing.take(rows[start : start + 200])
    hand_over()  # the same news again

    assert send() == 5
    close_digests()
    assert send() == 1

    told = [json.loads(hit.body) for hit in sink.hits]
    digest = told[-1]
    assert [one["count"] for one in told] == [1, 1, 1, 1, 1, 995]
    assert (digest["type"], digest["data"]["kinds"]) == ("digest", {"rule": 995})
    assert [sample["data"]["number"] for sample in digest["data"]["samples"]] == list(range(5, 15))
    assert Delivery.objects.count() == 6
    assert len(queries) <= 5 * 13


def test_a_digest_that_was_tried_takes_nothing_more_in(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target(per_minute=1)
    storm(house, 3)
    hand_over()
    assert send() == 1
    close_digests()
    sink.usual = answer(500)
    assert send() == 0

    fire(house, number="later")
    hand_over()

    counts = list(
        Delivery.objects.filter(target=target).order_by("outbox_id").values_list("count", flat=True)
    )
    assert counts == [1, 2, 1]


def test_tokens_come_back_with_time(house: House, make_target: MakeTarget, sink: Sink) -> None:
    make_target(per_minute=2)
    storm(house, 2)
    hand_over()
    assert send() == 2
    TargetState.objects.update(tokens_at=timezone.now() - timedelta(seconds=31))

    fire(house, number="after")
    hand_over()

    assert send() == 1
    assert Delivery.objects.filter(kind="digest").count() == 0


def test_a_target_that_takes_nothing_does_not_fill_the_database(
    house: House, make_target: MakeTarget, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queueing, "MAX_PENDING", 10)
    target = make_target(per_minute=6000)
    storm(house, 500)
    hand_over()
    storm(house, 500)
    close_digests()
    hand_over()

    assert Delivery.objects.filter(target=target).count() == 11
    close_digests()
    assert send() == 11
    assert sum(json.loads(hit.body)["count"] for hit in sink.hits) == 1000


@pytest.mark.django_db(transaction=True)
def test_thousands_of_news_pass_the_dispatcher_and_are_counted(
    house: House, make_target: MakeTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make_target()
    Outbox.objects.all().delete()
    storm(house, 3000)
    own = [one for one in outbox.subscribers() if one.name == "alerts.queue"]
    monkeypatch.setattr("apps.core.outbox_dispatch.subscribers", lambda: own)
    dispatcher = Dispatcher()

    while dispatcher.deliver():
        continue

    rows = Delivery.objects.filter(target=target)
    assert sum(rows.values_list("count", flat=True)) == 3000
    assert rows.count() < 150  # 60 at once, some more with time, and digests
