"""Callbacks of streams and analytics, in a format of somebody else's."""

import json
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import actor_of_user
from apps.alerts import callbacks, cleaning, messages, services
from apps.alerts.callbacks import Callback, Owner
from apps.alerts.messages import Body, Message
from apps.alerts.models import Delivery, OwnerKind, Target
from apps.core import outbox
from apps.core.exceptions import ConflictError, ForbiddenError, InvalidInputError, NotVisibleError
from apps.core.models import Outbox
from apps.streams.life import Life
from apps.streams.life_log import Entry, add_entry
from omma_engine.ids import uuid7
from tests.apps.alerts.conftest import ACTOR, House, hand_over, make_house, send
from tests.apps.alerts.sink import Sink
from tests.factories import make_limited_member, make_member


@pytest.fixture(autouse=True)
def _own_format() -> Iterator[None]:
    def write(message: Message) -> Body | None:
        if message.payload.get("status") == "pending":
            return None
        told = {
            "event_type": message.kind,
            "said": message.payload.get("status"),
            "tag": message.options.get("tag"),
        }
        return Body(json.dumps(told).encode())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "_formats", {**messages._formats, "other": write})
        yield


def owner_of(house: House) -> Owner:
    return Owner(OwnerKind.STREAM, house.stream.pk, house.door)


def set_callbacks(house: House, *wanted: Callback) -> list[Target]:
    return callbacks.set_callbacks(actor=ACTOR, owner=owner_of(house), callbacks=wanted)


def say(house: House, status: Life) -> None:
    with transaction.atomic():
        add_entry(house.stream.source, Entry(status, timezone.now()))


def test_a_stream_tells_its_callbacks_what_becomes_of_it(house: House, sink: Sink) -> None:
    set_callbacks(
        house,
        Callback(sink.url("/own"), format="other", values={"format_options": {"tag": 7}}),
        Callback(sink.url("/ours")),
    )
    other = make_house("Other")
    for status in (Life.PENDING, Life.IN_PROGRESS, Life.FAILURE):
        say(house, status)
    say(other, Life.FAILURE)
    hand_over()

    send()

    own = [json.loads(hit.body) for hit in sink.hits if hit.path == "/own"]
    ours = [json.loads(hit.body)["data"]["status"] for hit in sink.hits if hit.path == "/ours"]
    assert own == [
        {"event_type": "stream_status", "said": "in_progress", "tag": 7},
        {"event_type": "stream_status", "said": "failure", "tag": 7},
    ]
    assert ours == ["pending", "in_progress", "failure"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_an_analytic_tells_its_callbacks_what_it_counts(house: House, sink: Sink) -> None:
    analytic_id = uuid7()
    owner = Owner(OwnerKind.ANALYTIC, analytic_id, house.door)
    callbacks.set_callbacks(actor=ACTOR, owner=owner, callbacks=[Callback(sink.url())])
    for subject in (analytic_id, uuid7()):
        with transaction.atomic():
            outbox.publish(
                "analytic.result", subject_kind="analytic", subject_id=subject, account_id=house.account.pk,
                camera_ids=[house.door.pk], payload={"count": 3, "at_us": 1_700_000_000_000_000},
            )  # fmt: skip
    hand_over()

    send()

    (hit,) = sink.hits
    body = json.loads(hit.body)
    assert (body["type"], body["data"]["count"]) == ("analytic_result", 3)
    assert body["timestamp"] == "2023-11-14T22:13:20.000000Z"


def test_setting_callbacks_replaces_them(house: House, sink: Sink) -> None:
    (first,) = set_callbacks(house, Callback(sink.url("/a")))
    (second,) = set_callbacks(house, Callback(sink.url("/b")))

    found = list(callbacks.callbacks_of(OwnerKind.STREAM, house.stream.pk))

    assert found == [second]
    assert first not in found
    assert set_callbacks(house) == []


def test_bad_callbacks_leave_the_old_ones(house: House, sink: Sink) -> None:
    (old,) = set_callbacks(house, Callback(sink.url()))
    bad = [
        [Callback(sink.url()), Callback("https://10.0.0.1/")],
        [Callback(sink.url())] * 11,
        [Callback(sink.url(), values={"all_cameras": True})],
        [Callback(sink.url(), format="unknown")],
    ]

    fields = []
    for wanted in bad:
        with pytest.raises(InvalidInputError) as refused:
            set_callbacks(house, *wanted)
        fields.append(refused.value.field)

    assert fields == ["address", "callbacks", "all_cameras", "format"]
    assert list(Target.objects.all()) == [old]


def test_callbacks_are_changed_with_their_owner_only(house: House, sink: Sink) -> None:
    (target,) = set_callbacks(house, Callback(sink.url()))

    with pytest.raises(ConflictError):
        services.update_target(actor=ACTOR, target=target, name="Mine")


def test_callbacks_need_the_right_on_the_camera(house: House, sink: Sink) -> None:
    operator = actor_of_user(make_member(house.account, "operator").user)
    elsewhere = actor_of_user(make_limited_member(house.account, "admin", [house.yard]).user)

    for actor, error in ((operator, ForbiddenError), (elsewhere, NotVisibleError)):
        with pytest.raises(error):
            callbacks.set_callbacks(actor=actor, owner=owner_of(house), callbacks=[Callback(sink.url())])
    assert Target.objects.count() == 0


def test_callbacks_go_with_what_they_belong_to(house: House, sink: Sink) -> None:
    analytic_id = uuid7()
    set_callbacks(house, Callback(sink.url()))
    owner = Owner(OwnerKind.ANALYTIC, analytic_id, house.door)
    callbacks.set_callbacks(actor=ACTOR, owner=owner, callbacks=[Callback(sink.url())])
    Outbox.objects.all().delete()

    def tell(kind: str, subject: object) -> None:
        with transaction.atomic():
            row = outbox.publish(kind, subject_kind="x", subject_id=subject, account_id=house.account.pk)  # type: ignore[arg-type]  # an id
            cleaning.forget_owners([outbox.OutboxRow.of(Outbox.objects.get(pk=row.pk))])

    tell("analytic.deleted", analytic_id)
    left = [target.owner_kind for target in Target.objects.all()]
    house.door.delete()
    tell("camera.deleted", uuid7())

    assert left == ["stream"]
    assert Target.objects.count() == 0
