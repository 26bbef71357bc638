"""A sink for webhooks, an account with two cameras, and ways to make news and targets."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import transaction

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.alerts import queueing, rule_targets, services
from apps.alerts.models import Delivery, Target
from apps.alerts.sending import claim_next, run
from apps.cameras.models import Camera
from apps.core import outbox
from apps.core.models import Outbox
from apps.core.outbox import OutboxRow
from apps.rules.models import Rule
from apps.streams.models import Source, Stream
from omma_engine.ids import uuid7
from tests.apps.alerts.sink import Sink
from tests.factories import make_account, make_camera

ACTOR = system_actor()
MakeTarget = Callable[..., Target]


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.close()


@pytest.fixture(autouse=True)
def _may_call_this_machine(settings: LazySettings) -> None:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.1/32"]


@dataclass
class House:
    account: Account
    door: Camera
    yard: Camera
    stream: Stream
    rule: Rule


@pytest.fixture
def house(db: Any) -> House:
    return make_house()


def make_house(name: str = "Home") -> House:
    account = make_account(name)
    door, yard = make_camera(account, "Door"), make_camera(account, "Yard")
    source = Source.objects.create(account=account, camera=door)
    stream = Stream.objects.create(account=account, camera=door, source=source)
    rule = Rule.objects.create(account=account, name="Visitors", all_cameras=True, labels=["person"])
    return House(account, door, yard, stream, rule)


@pytest.fixture
def make_target(house: House, sink: Sink) -> MakeTarget:
    def make(**values: Any) -> Target:
        rules = values.pop("rules", [house.rule])
        values = {"name": "Hook", "address": sink.url(), "all_cameras": True, **values}
        target, _ = services.create_target(actor=ACTOR, account=house.account, **values)
        for rule in rules:
            known = list(rule_targets.targets_of_rule(ACTOR, rule))
            rule_targets.set_rule_targets(actor=ACTOR, rule=rule, targets=[*known, target])
        return target

    return make


def fire(house: House, camera: Camera | None = None, **payload: Any) -> Outbox:
    """Make the news that the rule has fired."""
    with transaction.atomic():
        return outbox.publish(
            "rule.fired",
            subject_kind="rule_firing",
            subject_id=uuid7(),
            account_id=house.account.pk,
            camera_ids=[(camera or house.door).pk],
            payload={"rule_id": str(house.rule.pk), "rule": house.rule.name, "label": "person", **payload},
        )


def hand_over(rows: list[Outbox] | None = None) -> None:
    """Give news to the queue, as the dispatcher does."""
    found = Outbox.objects.order_by("xid", "id") if rows is None else rows
    with transaction.atomic():
        queueing.take([OutboxRow.of(Outbox.objects.get(pk=row.pk)) for row in found])


def send(target: Target | None = None) -> int:
    """Send what is due, as a sender does; return how much arrived."""
    only: list[UUID] = [target.pk] if target else []
    sent = 0
    for troubled in (False, True):
        while (claim := claim_next(troubled=troubled, only=only)) is not None:
            sent += run(claim)
    return sent


def states(target: Target) -> list[str]:
    rows = Delivery.objects.filter(target=target).order_by("xid", "outbox_id")
    return list(rows.values_list("state", flat=True))
