"""Where webhooks may go: checked when a target is saved, and again at each send."""

import ipaddress
from typing import Any

import pytest
from django.conf import LazySettings

from apps.alerts import http_outlet, services
from apps.alerts.models import Delivery, Target
from apps.alerts.secrets import open_secret
from apps.core import egress
from apps.core.exceptions import InvalidInputError
from tests.apps.alerts.conftest import ACTOR, House, MakeTarget, fire, hand_over, send
from tests.apps.alerts.sink import Sink, answer


@pytest.mark.parametrize(
    "address",
    [
        "", "hook", "ftp://example.org/", "https://127.0.0.2/", "https://[::1]/", "https://10.0.0.5/", "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://[::ffff:10.0.0.5]/",
        "https://[64:ff9b::a00:5]/", "https://0.0.0.0/", "https://2130706434/", "https://0x7f.2/",
        "http://93.184.216.34/", "https://user:secret@93.184.216.34/", "https://93.184.216.34/\r\nX: y",
        "file:///etc/passwd",
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_called_is_refused(house: House, address: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        services.create_target(
            actor=ACTOR, account=house.account, name="x", address=address, all_cameras=True
        )

    assert refused.value.field == "address"
    assert Target.objects.count() == 0


def test_own_services_are_refused_even_in_allowed_networks(house: House, settings: LazySettings) -> None:
    with pytest.raises(InvalidInputError) as refused:
        services.create_target(
            actor=ACTOR, account=house.account, name="x", all_cameras=True,
            address=f"http://127.0.0.1:{settings.OMMA_PORT}/",
        )  # fmt: skip

    assert refused.value.field == "address"


def test_a_network_that_is_no_longer_allowed_gets_nothing(
    house: House, make_target: MakeTarget, sink: Sink, settings: LazySettings
) -> None:
    make_target()
    fire(house)
    hand_over()
    settings.OMMA_EGRESS_ALLOW = []

    assert send() == 0

    assert sink.hits == []
    assert "loopback" in Delivery.objects.get().last_error


def test_a_name_that_leads_inside_later_gets_nothing(
    house: House, sink: Sink, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is looked up once a send, and what was checked is what is connected to."""
    settings.OMMA_EGRESS_ALLOW = []
    asked: list[str] = []
    addresses = [["93.184.216.34"], ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]]

    def look_up(host: str) -> list[Any]:
        asked.append(host)
        return [ipaddress.ip_address(one) for one in addresses[min(len(asked), len(addresses)) - 1]]

    def check(url: str, **options: Any) -> Any:
        return egress.check_outbound(url, resolver=look_up, **options)

    monkeypatch.setattr(http_outlet, "check_outbound", check)
    target, _ = services.create_target(
        actor=ACTOR, account=house.account, name="x", all_cameras=True,
        address=f"https://rebind.example:{sink.port}/",
    )  # fmt: skip
    services.test_target(actor=ACTOR, target=target)
    hand_over()

    for _ in range(2):
        services.test_target(actor=ACTOR, target=target)
        assert send() == 0

    assert sink.hits == []
    assert asked == ["rebind.example"] * 3
    assert "may not be used" in Delivery.objects.order_by("outbox_id")[0].last_error


def test_a_redirect_to_the_inside_is_not_followed(house: House, make_target: MakeTarget, sink: Sink) -> None:
    make_target()
    fire(house)
    hand_over()
    sink.behaviours = [answer(307, Location=sink.url("/inside"))]

    send()

    assert [hit.path for hit in sink.hits] == ["/hook"]


BAD_VALUES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"name": " "}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"kind": "pigeon"}, "kind"),
    ({"wants": ["gossip"]}, "wants"),
    ({"wants": "event"}, "wants"),
    ({"format": "xml"}, "format"),
    ({"all_cameras": False}, "cameras"),
    ({"headers": {"Host": "x"}}, "headers"),
    ({"headers": {"webhook-signature": "v1,x"}}, "headers"),
    ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers"),
    ({"headers": {"X A": "b"}}, "headers"),
    ({"headers": {"X-A": 5}}, "headers"),
    ({"headers": {f"X-{n}": "a" for n in range(21)}}, "headers"),
    ({"headers": []}, "headers"),
    ({"authorization": {"type": "digest"}}, "authorization"),
    ({"authorization": {"type": "basic", "username": "a"}}, "authorization"),
    ({"authorization": {"type": "bearer", "token": "a\nb"}}, "authorization"),
    ({"authorization": "Basic x"}, "authorization"),
    ({"signing_key": "short"}, "signing_key"),
    ({"signing_key": "whsec_AAAA"}, "signing_key"),
    ({"content_type": "json"}, "content_type"),
    ({"content_type": "a/b\r\n"}, "content_type"),
    ({"timeout_s": 11}, "timeout_s"),
    ({"timeout_s": True}, "timeout_s"),
    ({"timeout_s": float("nan")}, "timeout_s"),
    ({"includes_picture": "yes"}, "includes_picture"),
    ({"per_minute": 0}, "per_minute"),
    ({"per_minute": 6001}, "per_minute"),
    ({"digest_s": 0}, "digest_s"),
    ({"late_s": 10**9}, "late_s"),
    ({"format_options": [1]}, "format_options"),
    ({"owner_kind": "stream"}, "owner_kind"),
    ({"secret": b""}, "secret"),
)


@pytest.mark.parametrize(("values", "field"), BAD_VALUES)
def test_a_bad_value_names_its_field_and_stores_nothing(
    house: House, sink: Sink, values: dict[str, Any], field: str
) -> None:
    wanted = {"name": "Hook", "address": sink.url(), "all_cameras": True, **values}

    with pytest.raises(InvalidInputError) as refused:
        services.create_target(actor=ACTOR, account=house.account, **wanted)

    assert refused.value.field == field
    assert Target.objects.count() == 0


def test_a_change_keeps_the_secrets_that_it_does_not_name(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target(headers={"X-A": "b"}, authorization={"type": "token", "token": "t"})
    before = open_secret(target.secret)

    changed = services.update_target(actor=ACTOR, target=target, name="Other", timeout_s=3)
    after = open_secret(changed.secret)
    moved = services.update_target(actor=ACTOR, target=target, address=sink.url("/other"))

    assert after == before
    assert (changed.name, changed.options["timeout_s"]) == ("Other", 3.0)
    assert open_secret(moved.secret).headers == {"X-A": "b"}
    assert moved.place == f"http://127.0.0.1:{sink.port}/…"


def test_a_refused_change_changes_nothing(make_target: MakeTarget) -> None:
    target = make_target()
    before = Target.objects.values().get()

    with pytest.raises(InvalidInputError):
        services.update_target(actor=ACTOR, target=target, name="Other", address="https://10.0.0.1/")

    assert Target.objects.values().get() == before
