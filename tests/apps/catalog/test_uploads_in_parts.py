"""Models that come in parts: resumed where they broke off, checked as a whole, and bounded."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account
from apps.catalog import cleaning, files, uploads
from apps.catalog.models import Model, ModelUpload
from tests import factories
from tests.engine.detect.tiny_onnx import tiny_bytes

pytestmark = pytest.mark.django_db
UPLOADS = "/api/v1/model-uploads/"


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    settings.OMMA_DATA_DIR = tmp_path
    return tmp_path / "models"


@pytest.fixture
def account() -> Account:
    return factories.make_account()


@pytest.fixture
def client(account: Account) -> Client:
    client = Client()
    client.force_login(factories.make_member(account, "admin").user)
    return client


def begin(client: Client, content: bytes, **changes: Any) -> Any:
    said = {"name": "Shapes", "size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return client.post(UPLOADS, {**said, **changes}, content_type="application/json")


def send(client: Client, upload: dict[str, Any], offset: int, data: bytes) -> Any:
    return client.patch(
        f"{UPLOADS}{upload['id']}/",
        data,
        content_type="application/octet-stream",
        headers={"Upload-Offset": str(offset)},
    )


def test_a_model_in_parts_is_resumed_and_becomes_a_version(
    client: Client, account: Account, folder: Path
) -> None:
    content = tiny_bytes()
    upload = begin(client, content, licence="MIT", author="Somebody").json()

    first = send(client, upload, 0, content[:1000])
    lost = send(client, upload, 5000, content[5000:])
    resumed = client.get(f"{UPLOADS}{upload['id']}/").json()["received_bytes"]
    last = send(client, upload, resumed, content[resumed:])
    answer = client.post(f"{UPLOADS}{upload['id']}/finish/")

    assert first.json()["received_bytes"] == resumed == 1000
    assert lost.status_code == 409
    assert lost.json()["error"]["code"] == "wrong_offset"
    assert lost.json()["error"]["detail"] == {"received_bytes": 1000}
    assert last.json()["received_bytes"] == len(content)
    assert answer.status_code == 201, answer.content
    assert (answer.json()["author"], answer.json()["licence"]) == ("Somebody", "MIT")
    assert answer.json()["versions"][0]["sha256"] == upload["sha256"]
    assert not ModelUpload.objects.exists()
    assert list((folder / "uploads").iterdir()) == []


def test_bytes_that_were_written_and_not_counted_are_written_over(client: Client) -> None:
    content = tiny_bytes()
    upload = begin(client, content).json()
    path = uploads.path_of(upload["id"])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"left behind by a part that was never counted" * 1000)

    send(client, upload, 0, content)

    assert client.post(f"{UPLOADS}{upload['id']}/finish/").status_code == 201


def test_an_unfinished_upload_is_told_what_is_missing(client: Client) -> None:
    content = tiny_bytes()
    upload = begin(client, content).json()
    send(client, upload, 0, content[:-10])

    answer = client.post(f"{UPLOADS}{upload['id']}/finish/")

    assert answer.status_code == 409
    assert answer.json()["error"]["message"] == "10 bytes are still to come."
    assert ModelUpload.objects.count() == 1


def test_a_wrong_checksum_and_a_bad_model_leave_nothing(client: Client, folder: Path) -> None:
    content = tiny_bytes()
    wrong = begin(client, content, sha256="0" * 64).json()
    send(client, wrong, 0, content)
    bad = begin(client, b"no model").json()
    send(client, bad, 0, b"no model")

    answers = [client.post(f"{UPLOADS}{one['id']}/finish/") for one in (wrong, bad)]

    assert [answer.json()["error"]["code"] for answer in answers] == ["wrong_checksum", "unsafe_model"]
    assert not Model.objects.exists()
    assert list((folder / "uploads").iterdir()) == []


def test_more_than_was_announced_is_refused(client: Client) -> None:
    content = tiny_bytes()
    upload = begin(client, content, size_bytes=100).json()

    answer = send(client, upload, 0, content)

    assert answer.status_code == 413
    assert client.get(f"{UPLOADS}{upload['id']}/").json()["received_bytes"] == 0


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"size_bytes": 100 << 30}, 413, "size_bytes"),
        ({"size_bytes": 0}, 400, "size_bytes"),
        ({"sha256": "short"}, 400, "sha256"),
        ({"name": "!!"}, 400, "name"),
        ({"kind": "virus"}, 400, "kind"),
        ({"labels": ["x" * 65]}, 400, "labels.0"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_it_comes(
    client: Client, changes: dict[str, Any], status: int, field: str
) -> None:
    answer = begin(client, b"x", **changes)

    assert answer.status_code == status
    assert field in answer.json()["error"]["fields"]
    assert not ModelUpload.objects.exists()


def test_a_part_may_not_be_large_and_must_say_where_it_belongs(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = tiny_bytes()
    upload = begin(client, content).json()
    nowhere = client.patch(f"{UPLOADS}{upload['id']}/", b"x", content_type="application/octet-stream")
    empty = send(client, upload, 0, b"")
    monkeypatch.setattr(uploads, "MAX_PART_BYTES", 100)
    large = send(client, upload, 0, content)

    assert (nowhere.status_code, empty.status_code, large.status_code) == (400, 400, 413)


def test_a_full_disk_and_too_many_uploads_are_refused(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(uploads.MAX_UNFINISHED):
        assert begin(client, b"x").status_code == 201
    many = begin(client, b"x")
    monkeypatch.setattr(files, "RESERVE_BYTES", 1 << 60)
    full = begin(client, b"x")

    assert (many.status_code, many.json()["error"]["code"]) == (409, "too_many_uploads")
    assert (full.status_code, full.json()["error"]["code"]) == (409, "no_room")


def test_what_nobody_goes_on_with_is_forgotten(client: Client, folder: Path) -> None:
    upload = begin(client, b"abc").json()
    send(client, upload, 0, b"ab")

    assert cleaning.clean_up(timezone.now()) == "0 uploads, 0 folders"
    assert cleaning.clean_up(timezone.now() + timedelta(days=2)) == "1 uploads, 0 folders"
    assert list((folder / "uploads").iterdir()) == []


def test_uploads_are_seen_by_those_who_manage_models_only(client: Client, account: Account) -> None:
    upload = begin(client, b"abc").json()
    operator, foreign = Client(), Client()
    operator.force_login(factories.make_member(account, "operator").user)
    foreign.force_login(factories.make_member(factories.make_account("Foreign"), "admin").user)

    for other in (operator, foreign):
        assert other.get(f"{UPLOADS}{upload['id']}/").status_code == 404
        assert send(other, upload, 0, b"abc").status_code == 404
    assert begin(operator, b"abc").status_code == 403
    assert client.delete(f"{UPLOADS}{upload['id']}/").status_code == 204
