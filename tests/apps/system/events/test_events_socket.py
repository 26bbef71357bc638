"""The events socket: news as the API shows it, for those who may see it, resumable."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.actors import actor_of_user
from apps.accounts.models import Grant, Role
from apps.accounts.services import change_member, remove_member
from apps.core import outbox, representations
from apps.core.models import Outbox
from apps.streams.bus import results
from apps.system.events import consumer, hub, mailbox
from apps.system.routing import websocket_urlpatterns
from tests.apps.streams.live.house import (
    House,
    Person,
    make_camera,
    make_person,
    make_stream,
    session_headers,
)

ROWS: dict[UUID, dict[str, Any]] = {}


def load_probe(ids: Iterable[UUID], actor: Any) -> Mapping[UUID, dict[str, Any]]:
    """Stand in for an app's loader: what is in `ROWS` exists and may be seen."""
    return {row_id: ROWS[row_id] for row_id in ids if row_id in ROWS}


@pytest.fixture(autouse=True)
def _probe_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    ROWS.clear()
    monkeypatch.setitem(representations._loaders, "recording", load_probe)


@asynccontextmanager
async def open_socket(
    person: Person | None, query: str = "", *, headers: list[tuple[bytes, bytes]] | None = None
) -> AsyncIterator[WebsocketCommunicator]:
    headers = headers or (person.headers if person else [])
    socket = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws/v1/events?{query}", headers)
    is_open, _ = await socket.connect(timeout=5)
    assert is_open
    yield socket
    await socket.disconnect(timeout=5)
    await hub.news_hub(settings.BUS_URL).close()


async def receive(socket: WebsocketCommunicator) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(await socket.receive_from(5))
    return message


async def close_code_of(socket: WebsocketCommunicator) -> int:
    while (message := await socket.receive_output(5))["type"] != "websocket.close":
        continue
    return int(message["code"])


@sync_to_async
def publish(
    house: House, kind: str = "recording.created", *, camera_ids: Iterable[UUID] | None = None
) -> UUID:
    row_id = uuid4()
    ROWS[row_id] = {"id": str(row_id), "name": "a recording"}
    with transaction.atomic():
        outbox.publish(
            kind,
            subject_kind=kind.split(".")[0],
            subject_id=row_id,
            account_id=house.account.pk,
            camera_ids=[house.camera.pk] if camera_ids is None else camera_ids,
        )
    return row_id


async def test_news_arrives_as_the_api_shows_it(house: House) -> None:
    async with open_socket(house.alice, "topics=recording") as socket:
        ready = await receive(socket)
        row_id = await publish(house)
        message = await receive(socket)

    assert ready["type"] == "ready"
    assert message == {
        "type": "recording",
        "kind": "recording.created",
        "cursor": message["cursor"],
        "id": str(row_id),
        "data": {"id": str(row_id), "name": "a recording"},
    }


async def test_a_deletion_arrives_without_data(house: House) -> None:
    async with open_socket(house.alice, "topics=recording") as socket:
        await receive(socket)
        await publish(house, "recording.deleted")

        assert (await receive(socket))["data"] is None


async def test_only_wanted_topics_and_cameras_arrive(house: House) -> None:
    other = await sync_to_async(make_camera)(house.account, "Back door", 2)
    async with open_socket(house.alice, f"topics=recording&camera={house.camera.pk}") as socket:
        await receive(socket)
        await publish(house, "rule.created")
        await publish(house, "recording.exported")
        await publish(house, camera_ids=[other.pk])
        wanted = await publish(house)

        assert (await receive(socket))["id"] == str(wanted)


async def test_nobody_hears_of_what_they_may_not_see(house: House) -> None:
    hidden = await sync_to_async(make_camera)(house.account, "Back door", 2)
    async with (
        open_socket(house.mallory, "topics=recording,model") as foreign,
        open_socket(house.gus, "topics=recording,model,system,member") as granted,
    ):
        await receive(foreign)
        await receive(granted)
        for kind, camera_ids in (
            ("recording.created", [hidden.pk]),
            ("recording.created", [hidden.pk, house.camera.pk]),
            ("recording.created", []),
            ("system.updated", []),
            ("member.updated", []),
        ):
            await publish(house, kind, camera_ids=camera_ids)
        seen = [await publish(house), await publish(house, "model.deleted", camera_ids=[])]

        assert [(await receive(granted))["id"] for _ in seen] == [str(row_id) for row_id in seen]
        assert await foreign.receive_nothing(0.3)


async def test_account_wide_news_reaches_who_sees_all_cameras(house: House) -> None:
    admin = await sync_to_async(make_person)(house.account, "ada", role=Role.ADMIN)
    async with open_socket(admin, "topics=recording,member") as socket:
        await receive(socket)
        ids = [
            await publish(house, camera_ids=[]),
            await publish(house, "member.deleted", camera_ids=[]),
        ]

        assert [(await receive(socket))["id"] for _ in ids] == [str(row_id) for row_id in ids]


async def test_a_cursor_resumes_without_loss_or_repeat(house: House) -> None:
    async with open_socket(house.alice, "topics=recording") as socket:
        await receive(socket)
        await publish(house)
        cursor = (await receive(socket))["cursor"]
    missed = [await publish(house) for _ in range(3)]

    async with open_socket(house.alice, f"topics=recording&cursor={cursor}") as socket:
        ready = await receive(socket)
        missed.append(await publish(house))
        received = [(await receive(socket))["id"] for _ in missed]

        assert await socket.receive_nothing(0.2)
    assert ready == {"type": "ready", "cursor": cursor}
    assert received == [str(row_id) for row_id in missed]


async def test_a_cursor_that_is_too_old_resets(house: House) -> None:
    await publish(house)
    await sync_to_async(Outbox.objects.update)(created_at=timezone.now() - timedelta(hours=25))
    await sync_to_async(outbox.forget_old)()

    async with open_socket(house.alice, "topics=recording&cursor=1-1") as socket:
        assert (await receive(socket))["type"] == "reset"
        row_id = await publish(house)
        assert (await receive(socket))["id"] == str(row_id)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("topics=recording,weather", "unknown_topic"),
        ("topics=recording&cursor=x", "bad_cursor"),
        ("topics=recording&camera=5", "bad_camera"),
    ],
)
async def test_a_wrong_address_is_explained(house: House, query: str, code: str) -> None:
    async with open_socket(house.alice, query) as socket:
        message = await receive(socket)

        assert (message["type"], message["code"]) == ("error", code)
        assert await close_code_of(socket) == 4400


async def test_without_a_login_there_is_no_news(house: House) -> None:
    async with open_socket(None, "topics=recording") as socket:
        assert await close_code_of(socket) == 4401


async def test_a_lost_right_ends_the_news(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "RECHECK_S", 0.05)
    async with open_socket(house.gus, "topics=recording") as socket:
        await receive(socket)
        await publish(house)
        await receive(socket)
        await sync_to_async(Grant.objects.all().delete)()
        assert await socket.receive_nothing(0.3)
        await publish(house)

        assert await socket.receive_nothing(0.3)
        await sync_to_async(house.gus.member.user.delete)()
        assert await close_code_of(socket) == 4401


async def test_ping_gets_a_pong_and_nonsense_an_error(house: House) -> None:
    async with open_socket(house.alice, "topics=recording") as socket:
        await receive(socket)
        await socket.send_json_to({"type": "ping"})
        assert await receive(socket) == {"type": "pong"}

        await socket.send_to(text_data="hello")
        assert (await receive(socket))["code"] == "unknown_message"
        assert await close_code_of(socket) == 4400


async def test_detections_reach_only_who_may_see_the_camera(house: House) -> None:
    hidden = await sync_to_async(lambda: make_stream(make_camera(house.account, "Back door", 2)))()
    sender = results.connect(settings.BUS_URL)
    frame = {"stream_id": str(house.stream.pk), "capture_us": 5, "boxes": []}

    async with open_socket(house.gus, "topics=detection") as socket:
        await receive(socket)
        seen: dict[str, Any] = {}
        for _ in range(100):  # until the subscription is there
            sender.publish(hidden.pk, {"stream_id": str(hidden.pk)})
            sender.publish(house.stream.pk, frame)
            if not await socket.receive_nothing(0.05, 0.01):
                seen = await receive(socket)
                break

    assert seen == {"type": "detection", **frame}
    sender.close()


async def test_detections_give_way_and_news_never_does_silently() -> None:
    box = mailbox.Mailbox()
    for number in range(100):
        box.put_detection(f"detection {number}")
    box.put_news("news")

    assert await box.next_message() == "news"
    assert await box.next_message() == "detection 36"

    for number in range(mailbox.MAX_NEWS + 1):
        box.put_news(f"news {number}")

    assert await box.next_message() is None


async def test_whoever_is_removed_is_told_nothing_more_and_closed_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RECHECK_S", 3600.0)
    admin = await sync_to_async(make_person)(house.account, "ada", role=Role.ADMIN)
    actor = await sync_to_async(actor_of_user)(admin.member.user)
    cookies = await sync_to_async(session_headers)(house.alice)  # a token would go with the member
    async with open_socket(None, "topics=recording,member", headers=cookies) as socket:
        await receive(socket)
        await sync_to_async(remove_member)(actor=actor, member=house.alice.member)
        await publish(house)

        assert await socket.receive_output(5) == {
            "type": "websocket.close", "code": 4403, "reason": "You are a member of no account.",
        }  # fmt: skip


async def test_whoever_is_demoted_hears_by_the_new_rights_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "RECHECK_S", 3600.0)
    admin = await sync_to_async(make_person)(house.account, "ada", role=Role.ADMIN)
    boss = await sync_to_async(make_person)(house.account, "bob", role=Role.ADMIN)
    actor = await sync_to_async(actor_of_user)(admin.member.user)
    async with open_socket(boss, "topics=recording,member") as socket:
        await receive(socket)
        await sync_to_async(change_member)(
            actor=actor, member=boss.member, role="viewer", sees_all_cameras=False
        )
        await publish(house)

        assert await socket.receive_nothing(0.5)
