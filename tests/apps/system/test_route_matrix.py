"""Every route, tried by people who may see nothing of it; who adds one says in `things` what it shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Model as Row
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account
from apps.alerts.models import Delivery, Target, TargetState
from apps.cameras.models import Camera
from apps.catalog.models import Model, ModelConversion, ModelUpload, ModelVersion, Training
from apps.core.models import AuditEntry, PeriodicJob, Task
from apps.dialects.spectrax.clips import describe
from apps.inference.models import Analysis, Analytic, Event, MinuteSummary, Track
from apps.recordings.models import Export, Recording, RetentionPolicy, Video
from apps.rules.models import Rule, RuleFiring
from apps.streams.models import Gap, Segment, Source, Stream, StreamLog, Volume
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.system.route_map import Route, admin_addresses, all_routes

pytestmark = pytest.mark.django_db

CANARY = "canary-7f3a"
METHODS = ("get", "post", "patch", "delete")
OPEN = {"", "accounts/login/", "accounts/logout/", "api/v1/system/health/"}
NEUTRAL = {"api/schema/", "api/docs/"}  # the same for everybody with a login
ABSENT = UUID("00000000-0000-7000-8000-000000000000")


@dataclass(frozen=True)
class Things:
    """Something of each kind in one account. `by_collection` names what stands in addresses."""

    account: Account
    by_collection: Mapping[str, object]


@pytest.fixture
def things() -> Things:
    account = factories.make_account(f"Account {CANARY}")
    camera = factories.make_camera(account, f"Camera {CANARY}")
    member = factories.make_member(account, "admin", user=factories.make_user(CANARY))
    made = {
        "accounts": account,
        "members": member,
        "tokens": factories.make_token(member, name=CANARY)[0],
        "cameras": camera,
        "camera-groups": factories.make_group(account, [camera], CANARY),
        "tasks": Task.objects.create(kind=CANARY, unique_key=CANARY, account_id=account.pk),
        "audit": AuditEntry.objects.create(actor_kind="user", action=CANARY, account_id=account.pk),
        "jobs": PeriodicJob.objects.create(name=CANARY, title=CANARY, task="x", schedule="60"),
        "retention-policies": RetentionPolicy.objects.create(account=account, camera=camera),
        **_rules(account, camera),
        **_streams(account, camera),
        **_alerts(account, camera),
    }
    made["conversions"] = made["model-conversions"]  # its file
    describe(made["recordings"].pk)
    in_dialects = {"luna": account.pk, "spectrax": account.pk, "file": "camera_2026-01-31_12-00-00_1.mp4"}
    return Things(account, {name: row.pk for name, row in made.items()} | in_dialects)


def _rules(account: Account, camera: Camera) -> dict[str, Row]:
    rule = Rule.objects.create(account=account, name=CANARY)
    firing = RuleFiring.objects.create(
        account=account, rule=rule, camera=camera, event_id=uuid7(), at=timezone.now(), outcome="recorded"
    )
    return {"rules": rule, "rule-firings": firing}


def _alerts(account: Account, camera: Camera) -> dict[str, Row]:
    target = Target.objects.create(account=account, name=CANARY, place=CANARY, secret=b"")
    target.cameras.set([camera])
    TargetState.objects.create(target=target)
    delivery = Delivery.objects.create(
        id=uuid7(), account_id=account.pk, target=target, kind="rule", xid=1, outbox_id=1,
        camera_id=camera.pk, occurred_at=timezone.now(), expires_at=timezone.now(), payload={"text": CANARY},
    )  # fmt: skip
    return {"targets": target, "deliveries": delivery}


def _streams(account: Account, camera: Camera) -> dict[str, Row]:
    now = timezone.now()
    source = Source.objects.create(account=account, camera=camera, status_detail=CANARY)
    stream = Stream.objects.create(account=account, camera=camera, source=source)
    volume = Volume.objects.create(name=CANARY, root=f"/{CANARY}")
    ids = {"account_id": account.pk, "camera_id": camera.pk, "stream_id": stream.pk}
    model = Model.objects.create(account=account, slug=CANARY, name=CANARY)
    version = ModelVersion.objects.create(model=model, runtime="onnx")
    analytic = Analytic.objects.create(
        account=account, camera=camera, stream=stream, number=0, name=CANARY, model_version=version
    )
    return {
        "sources": source,
        "streams": stream,
        "volumes": volume,
        "stream-log": StreamLog.objects.create(
            account_id=account.pk, camera_id=camera.pk, source=source, at=now, status="failure", detail=CANARY
        ),
        "models": model,
        "model-versions": version,
        "model-uploads": ModelUpload.objects.create(
            account=account, name=CANARY, size_bytes=1, sha256="0" * 64, expires_at=now
        ),
        "model-conversions": ModelConversion.objects.create(
            account=account, version=version, target="fp16", file=CANARY, sha256=CANARY
        ),
        "trainings": Training.objects.create(
            account=account, name=CANARY, architecture="tiny", dataset_sha256=CANARY, dataset_file=CANARY
        ),
        "analytics": analytic,
        "segments": Segment.objects.create(
            id=uuid7(), **ids, volume=volume, epoch=1, sequence=1, start=now, end=now, start_ticks=0,
            time_base_num=1, time_base_den=90000, clock="arrival", error_us=0, path=CANARY, codec="h264",
            width=1, height=1, init_size=1,
        ),
        "gaps": Gap.objects.create(**ids, start=now, end=now, cause="camera", detail=CANARY),
        "minutes": MinuteSummary.objects.create(**ids, minute=now, labels={CANARY: 1}),
        "tracks": Track.objects.create(
            **ids, analytic_id=analytic.pk, number=1, label=CANARY, confidence=1, start=now, end=now,
            best_at=now,
        ),
        "analyses": Analysis.objects.create(
            **ids, name=CANARY, start=now, end=now + timedelta(seconds=1), fingerprint=CANARY
        ),
        "events": Event.objects.create(**ids, kind="rule", start=now, label=CANARY, cause_name=CANARY),
        "recordings": Recording.objects.create(
            account=account, camera=camera, stream=stream, number=1, name=CANARY, cause_kind="user",
            wanted_start=now, start=now, end=now + timedelta(seconds=1),
        ),
        "videos": Video.objects.create(account=account, camera=camera, name=CANARY, stream_id=uuid7()),
        "exports": Export.objects.create(
            account=account, camera_ids=[str(camera.pk)], stream_ids=[str(stream.pk)], name=CANARY,
            start=now, end=now + timedelta(seconds=1), state="done", created_by_name=CANARY,
        ),
    }  # fmt: skip


@pytest.fixture
def strangers(things: Things) -> dict[str, Client]:
    """People of another account, and an administrator of this one who may see no camera."""
    elsewhere = factories.make_account("Elsewhere")
    return {
        "stranger": _client(factories.make_member(elsewhere, "admin").user),
        "viewer elsewhere": _client(factories.make_member(elsewhere, "viewer").user),
        "limited": _client(factories.make_limited_member(things.account, "admin", []).user),
    }


def _client(user: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


ROUTES = all_routes()
WITH_ID = [route for route in ROUTES if route.has_parameter]
WITHOUT_ID = [route for route in ROUTES if not route.has_parameter]
SHOWN_TO = {
    "limited": {  # what every member sees, and administrators do, cameras or not
        "accounts",
        "conversions",
        "models",
        "model-versions",
        "model-uploads",
        "model-conversions",
        "trainings",
        "luna",
        "spectrax",
    },
    "stranger": {"jobs"},  # the site's own, shown to administrators of any account
}


def test_every_parameter_stands_for_something_in_the_table(things: Things) -> None:
    unknown = {route.template for route in WITH_ID if route.collection not in things.by_collection}

    assert unknown == set(), "say in `things` what these addresses show"


@pytest.mark.django_db(transaction=True)  # media views give their connection back before they send
def test_without_a_login_nothing_is_shown(things: Things) -> None:
    client = Client(raise_request_exception=False)
    wrong = []

    for route in ROUTES:
        if route.template in OPEN:
            continue
        address = route.address(things.by_collection.get(route.collection, ABSENT))
        is_page = route.template.startswith(("app/", "api/docs/"))
        for method in METHODS:
            answer = getattr(client, method)(address)
            if not (_leads_to_login(answer) if is_page else answer.status_code in {401, 405}):
                wrong.append((route.template, method, answer.status_code))

    assert wrong == []


def _leads_to_login(answer: Any) -> bool:
    """Pages do; a view may refuse a method before it asks who it is."""
    if answer.status_code == 302:
        return bool(answer["Location"].startswith("/accounts/login/?next="))
    return bool(answer.status_code == 405)


def test_what_is_somebody_elses_looks_as_if_it_were_not_there(
    things: Things, strangers: dict[str, Client]
) -> None:
    routes = [route for route in WITH_ID if not route.template.startswith("media/")]

    assert [told for route in routes for told in _tells(route, things, strangers)] == []


@pytest.mark.django_db(transaction=True)
def test_media_of_somebody_else_looks_as_if_it_were_not_there(
    things: Things, strangers: dict[str, Client]
) -> None:
    routes = [route for route in WITH_ID if route.template.startswith("media/")]

    assert [told for route in routes for told in _tells(route, things, strangers)] == []


def _tells(route: Route, things: Things, strangers: dict[str, Client]) -> Iterator[tuple[object, ...]]:
    """Yield each answer that is no 404, or that differs from the answer for what does not exist."""
    value = things.by_collection[route.collection]
    absent = CANARY + "x" if isinstance(value, str) else 2**40 if isinstance(value, int) else ABSENT
    for name, client in strangers.items():
        if route.collection in SHOWN_TO.get(name, ()):
            continue
        for method in METHODS:
            theirs = getattr(client, method)(route.address(value), content_type="application/json")
            if theirs.status_code == 405:
                continue
            nobodys = getattr(client, method)(route.address(absent), content_type="application/json")
            is_alike = (theirs.status_code, theirs.content) == (nobodys.status_code, nobodys.content)
            if theirs.status_code != 404 or not is_alike:
                yield route.template, name, method, theirs.status_code, nobodys.status_code


def test_lists_and_counts_show_nothing_of_somebody_else(things: Things, strangers: dict[str, Client]) -> None:
    PeriodicJob.objects.all().delete()  # the site's own: administrators of any account see them
    Volume.objects.filter(name=CANARY).update(name="disk", root="/disk")
    site = {things.by_collection["volumes"]}
    ids = {str(one) for one in things.by_collection.values() if isinstance(one, UUID) and one not in site}
    wrong = []

    for route in WITHOUT_ID:
        if route.template in OPEN | NEUTRAL:
            continue
        answer = strangers["stranger"].get(route.address(""))
        shown = answer.content.decode()
        if answer.status_code >= 500 or any(secret in shown for secret in {CANARY, *ids}):
            wrong.append((route.template, answer.status_code))

    assert wrong == []


def test_nonsense_is_never_a_fault(strangers: dict[str, Client]) -> None:
    bodies = ("{}", "[]", "nonsense", "null", '{"name": {"a": []}, "account": 5, "cameras": "x"}')
    wrong = []

    for route in WITHOUT_ID:
        if route.template in OPEN | NEUTRAL:
            continue
        for method in ("get", "post"):
            for body in bodies if method == "post" else bodies[:1]:
                address = route.address("") + "?page=x&ordering=x"
                answer = strangers["stranger"].generic(method.upper(), address, body, "application/json")
                if answer.status_code >= 500:
                    wrong.append((route.template, method, body))

    assert wrong == []


def test_the_admin_is_for_staff(strangers: dict[str, Client]) -> None:
    wrong = []

    for address in admin_addresses():
        for client in (Client(), strangers["stranger"]):
            answer = client.get(address)
            leads_away = answer.status_code == 302 and answer["Location"].startswith(
                ("/accounts/login/?next=", "/admin/")
            )
            if not leads_away and answer.status_code not in {403, 404}:
                wrong.append((address, answer.status_code))

    assert wrong == []
