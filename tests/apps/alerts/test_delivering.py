"""From news to webhooks over real HTTP: signed, in order, at least once, and not for ever."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.alerts import resending, services
from apps.alerts.cleaning import clean_up
from apps.alerts.models import Delivery, Target, TargetState
from apps.alerts.pauses import circuit_of, is_refused, pause_after
from apps.alerts.sending import claim_next, run
from apps.core.exceptions import ConflictError
from apps.core.models import AuditEntry, Outbox
from tests.apps.alerts.conftest import ACTOR, House, MakeTarget, fire, hand_over, send, states
from tests.apps.alerts.sink import Sink, answer, drip, flood, hang, nonsense


def verify(key: str, headers: dict[str, str], body: bytes) -> bool:
    """Verify as the documentation says."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = hmac.new(base64.b64decode(key.removeprefix("whsec_")), signed, hashlib.sha256).digest()
    given = headers["webhook-signature"].removeprefix("v1,")
    return hmac.compare_digest(base64.b64decode(given), expected)


def try_now(target: Target) -> None:
    TargetState.objects.filter(target=target).update(next_at=timezone.now())


def test_a_rule_that_fires_tells_its_target(house: House, make_target: MakeTarget, sink: Sink) -> None:
    target = make_target()
    row = fire(house, confidence=0.9)
    hand_over()

    assert send() == 1

    (hit,) = sink.hits
    delivery = Delivery.objects.get()
    body = json.loads(hit.body)
    assert delivery.target == target
    assert (body["id"], body["type"], body["count"]) == (str(delivery.pk), "rule", 1)
    assert body["camera"] == {"id": str(house.door.pk), "name": "Door"}
    assert (body["data"]["rule"], body["data"]["label"], body["data"]["confidence"]) == (
        "Visitors",
        "person",
        0.9,
    )
    assert hit.headers["content-type"] == "application/json"
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 204)
    assert delivery.outbox_id == row.pk


def test_a_webhook_is_signed_and_carries_the_login(house: House, sink: Sink) -> None:
    target, key = services.create_target(
        actor=ACTOR, account=house.account, name="Signed", address=sink.url("/x?y=1"), all_cameras=True,
        authorization={"type": "basic", "username": "u", "password": "p"}, headers={"X-Team": "night"},
    )  # fmt: skip
    services.test_target(actor=ACTOR, target=target)
    hand_over()

    send()

    (hit,) = sink.hits
    assert verify(key, hit.headers, hit.body)
    assert not verify(key, hit.headers, hit.body + b" ")
    assert abs(int(hit.headers["webhook-timestamp"]) - timezone.now().timestamp()) < 30
    assert hit.path == "/x?y=1"
    assert hit.headers["authorization"] == "Basic " + base64.b64encode(b"u:p").decode()
    assert hit.headers["x-team"] == "night"
    assert "omma-repeat" not in hit.headers


def test_news_handed_over_twice_is_told_once(house: House, make_target: MakeTarget, sink: Sink) -> None:
    make_target()
    fire(house)
    hand_over()
    hand_over()

    send()

    assert len(sink.hits) == 1
    assert Delivery.objects.count() == 1


def test_deliveries_go_in_order_and_wait_for_the_one_before(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target()
    for number in range(3):
        fire(house, number=number)
    hand_over()
    sink.behaviours = [answer(503), answer(204)]

    assert send() == 0
    try_now(target)
    assert send() == 3

    numbers = [json.loads(hit.body)["data"]["number"] for hit in sink.hits]
    assert numbers == [0, 0, 1, 2]
    repeated = sink.hits[1].headers
    assert repeated["webhook-id"] == sink.hits[0].headers["webhook-id"]
    assert repeated["omma-repeat"] == "1"
    assert TargetState.objects.get().failures == 0


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        (answer(500), "it answered 500 Internal Server Error"),
        (answer(302, Location="http://127.0.0.1:1/"), "it answered 302; redirects are not followed"),
        (hang(20), "no answer within 1 s"),
        (drip, "no answer within 1 s"),
        (nonsense, "its answer is not HTTP"),
        (lambda handler, hit: None, "it hung up without an answer"),
    ],
    ids=["500", "redirect", "hang", "drip", "nonsense", "silence"],
)
def test_what_fails_is_tried_again_later(
    house: House, make_target: MakeTarget, sink: Sink, behaviour: object, error: str
) -> None:
    target = make_target(timeout_s=1)
    fire(house)
    hand_over()
    sink.usual = behaviour  # type: ignore[assignment]  # a list of several kinds

    send()

    delivery, state = Delivery.objects.get(), TargetState.objects.get(target=target)
    assert (delivery.state, delivery.attempts, delivery.last_error) == ("pending", 1, error)
    assert (state.failures, state.last_error, state.claim) == (1, error, None)
    assert state.next_at is not None
    assert delivery.attempted_at is not None
    assert state.next_at > delivery.attempted_at + timedelta(seconds=0.7)
    assert len(sink.hits) == 1


def test_a_body_without_end_is_not_read(house: House, make_target: MakeTarget, sink: Sink) -> None:
    make_target(timeout_s=2)
    fire(house)
    hand_over()
    sink.usual = flood

    assert send() == 1

    assert Delivery.objects.get().state == "delivered"


def test_what_is_refused_three_times_is_dead_and_the_next_one_goes(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target()
    fire(house, number=0)
    fire(house, number=1)
    hand_over()
    sink.behaviours = [answer(422), answer(422), answer(422)]

    for _ in range(4):
        try_now(target)
        send()

    assert states(target) == ["dead", "delivered"]
    dead = Delivery.objects.get(state="dead")
    assert (dead.attempts, dead.last_status) == (3, 422)


def test_a_login_that_is_refused_is_waited_for(house: House, make_target: MakeTarget, sink: Sink) -> None:
    target = make_target()
    fire(house)
    hand_over()
    sink.usual = answer(401)

    for _ in range(4):
        try_now(target)
        send()

    assert states(target) == ["pending"]


def test_a_target_that_says_when_is_heeded(house: House, make_target: MakeTarget, sink: Sink) -> None:
    target = make_target()
    fire(house)
    hand_over()
    sink.usual = answer(429, Retry_After="120")

    send()

    next_at = TargetState.objects.get(target=target).next_at
    assert next_at is not None
    assert 115 < (next_at - timezone.now()).total_seconds() < 125


def test_what_waits_a_day_is_dead_and_can_be_sent_again(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target()
    fire(house)
    hand_over()
    Delivery.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert clean_up() == "1 dead, 0 deleted"
    (dead,) = Delivery.objects.all()

    again = resending.resend(actor=ACTOR, delivery=dead)
    send()

    assert (again.pk, again.state) == (dead.pk, "pending")
    assert states(target) == ["delivered"]
    assert sink.hits[0].headers["omma-repeat"] == "1"
    assert AuditEntry.objects.filter(action="delivery.resent").count() == 1
    with pytest.raises(ConflictError):
        resending.resend(actor=ACTOR, delivery=dead)


def test_all_dead_ones_of_a_target_are_sent_again(house: House, make_target: MakeTarget, sink: Sink) -> None:
    target = make_target()
    for _ in range(3):
        fire(house)
    hand_over()
    Delivery.objects.update(state="dead")
    TargetState.objects.update(pending=0)

    assert resending.resend_all(actor=ACTOR, target=target) == 3
    assert send() == 3
    assert TargetState.objects.get().pending == 0


def test_what_arrives_late_is_marked(house: House, make_target: MakeTarget, sink: Sink) -> None:
    make_target()
    fire(house, at_us=1_000_000)
    hand_over()

    send()

    assert sink.hits[0].headers["omma-late"] == "1"
    assert Delivery.objects.get().is_late is True


def test_a_sender_that_lost_its_claim_writes_nothing(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target()
    fire(house)
    hand_over()
    claim = claim_next(troubled=False)
    assert claim is not None
    assert claim_next(troubled=False) is None
    TargetState.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    other = claim_next(troubled=False)
    assert other is not None

    assert run(claim) == 0
    assert sink.hits == []
    assert run(other) == 1
    assert states(target) == ["delivered"]


def test_nothing_is_sent_while_the_target_or_the_account_is_off(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target()
    fire(house)
    hand_over()
    services.update_target(actor=ACTOR, target=target, is_enabled=False)
    assert send() == 0
    services.update_target(actor=ACTOR, target=target, is_enabled=True)
    type(house.account).objects.update(is_active=False)
    assert send() == 0
    fire(house)
    hand_over()
    type(house.account).objects.update(is_active=True)

    assert send() == 1
    assert Delivery.objects.count() == 1


def test_a_target_that_is_off_is_told_nothing_new(house: House, make_target: MakeTarget) -> None:
    make_target(is_enabled=False)
    fire(house)

    hand_over()

    assert Delivery.objects.count() == 0


def test_a_deleted_target_takes_what_waits_along(house: House, make_target: MakeTarget, sink: Sink) -> None:
    target = make_target()
    fire(house)
    hand_over()
    claim = claim_next(troubled=False)
    assert claim is not None

    services.delete_target(actor=ACTOR, target=target)

    assert run(claim) == 0
    assert (sink.hits, Delivery.objects.count()) == ([], 0)
    assert AuditEntry.objects.get(action="target.deleted").detail == {"waiting": 1}


def test_only_news_of_its_cameras_reach_a_target(house: House, make_target: MakeTarget, sink: Sink) -> None:
    target = make_target(all_cameras=False, cameras=[house.yard])
    fire(house, house.door)
    fire(house, house.yard, number=2)
    hand_over()

    send(target)

    assert [json.loads(hit.body)["data"].get("number") for hit in sink.hits] == [2]


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    class Middle:
        def uniform(self, low: float, high: float) -> float:
            return (low + high) / 2

    pauses = [pause_after(failures, rng=Middle()).total_seconds() for failures in range(1, 12)]  # type: ignore[arg-type]  # stands for a generator

    assert pauses == [1, 2, 4, 8, 30, 60, 120, 240, 480, 900, 900]
    assert pause_after(1, asked_s=1e9).total_seconds() == 3600
    assert [circuit_of(failures).value for failures in (0, 1, 4, 5, 99)] == [
        "closed", "troubled", "troubled", "open", "open",
    ]  # fmt: skip
    assert [is_refused(status) for status in (None, 400, 401, 404, 422, 429, 500)] == [
        False, True, False, False, True, False, False,
    ]  # fmt: skip


def test_old_deliveries_are_deleted(house: House, make_target: MakeTarget) -> None:
    make_target()
    for _ in range(3):
        fire(house)
    hand_over()
    one, two, three = Delivery.objects.order_by("outbox_id")
    month_ago = timezone.now() - timedelta(days=30)
    Delivery.objects.update(created_at=month_ago)
    Delivery.objects.filter(pk=one.pk).update(state="delivered")
    Delivery.objects.filter(pk=two.pk).update(state="dead")

    assert clean_up() == "0 dead, 1 deleted"

    assert set(Delivery.objects.values_list("pk", flat=True)) == {two.pk, three.pk}
    assert TargetState.objects.get().pending == 1
    assert Outbox.objects.exists()
