"""A house with two cameras for the tests of the pages, and its people."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import Account, Grant, GrantScope, Member, Role, User
from apps.cameras.models import Camera, Driver
from apps.core.numbering import next_number
from apps.inference.models import Event
from apps.recordings.models import CauseKind, Recording, RecordingState
from apps.rules.models import Rule
from apps.streams.models import Source, SourceStatus, Stream

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class View:
    """One camera with everything that pages show of it."""

    camera: Camera
    stream: Stream
    recording: Recording
    event: Event
    rule: Rule


@dataclass(frozen=True, slots=True)
class PageHouse:
    account: Account
    door: View
    garden: View


@pytest.fixture
def house(db: Any) -> PageHouse:
    account = Account.objects.create(name="Home")
    return PageHouse(account, make_view(account, "Door"), make_view(account, "Garden"))


@pytest.fixture
def log_in(house: PageHouse) -> Callable[..., Client]:
    """Return a function that makes a person and their browser; `sees` limits them to cameras."""

    def enter(role: Role, *, sees: list[Camera] | None = None, enforce_csrf: bool = False) -> Client:
        user = User.objects.create_user(username=f"user-{User.objects.count()}", password="only for tests")
        member = Member.objects.create(
            account=house.account, user=user, role=role, sees_all_cameras=sees is None
        )
        for camera in sees or []:
            Grant.objects.create(member=member, scope_kind=GrantScope.CAMERA, scope_id=camera.pk, role=role)
        client = Client(enforce_csrf_checks=enforce_csrf)
        client.force_login(user)
        return client

    return enter


def make_view(account: Account, name: str) -> View:
    camera = Camera.objects.create(
        account=account,
        name=name,
        number=next_number(account, "camera"),
        driver=Driver.SYNTHETIC,
        address="synthetic:yard",
    )
    source = Source.objects.create(account=account, camera=camera, status=SourceStatus.LIVE)
    stream = Stream.objects.create(account=account, camera=camera, source=source, width=640, height=480)
    rule = Rule.objects.create(account=account, name=f"Rule of {name}", labels=["person"])
    rule.cameras.set([camera])
    return View(camera, stream, make_recording(stream), make_event(stream), rule)


def make_recording(stream: Stream, **values: Any) -> Recording:
    fields: dict[str, Any] = {
        "number": next_number(stream.account, "recording"),
        "state": RecordingState.DONE,
        "wanted_start": NOW,
        "start": NOW,
        "end": NOW + timedelta(seconds=20),
        "cause_kind": CauseKind.RULE,
        "labels": ["person"],
        "confidence": 0.9,
        **values,
    }
    return Recording.objects.create(
        account_id=stream.account_id, camera_id=stream.camera_id, stream=stream, **fields
    )


def make_event(stream: Stream) -> Event:
    return Event.objects.create(
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream_id=stream.pk,
        kind="rule",
        label="person",
        start=NOW,
        confidence=0.8,
    )
