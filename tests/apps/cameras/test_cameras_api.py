"""Cameras over the API: passwords go in and never come out, and nobody sees a stranger's."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import Account, Member
from apps.cameras.models import Camera
from tests.factories import make_account, make_camera, make_member, make_superuser
from tests.farm import CameraSpec, Farm

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Account:
    return make_account()


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm([CameraSpec(width=320, height=240, fps=15, gop_s=0.5)]) as farm:
        yield farm


def login(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def send(client: Client, path: str, method: str = "post", **body: Any) -> Any:
    return getattr(client, method)(f"/api/v1/{path}", body, content_type="application/json")


def test_a_camera_is_added_with_a_name_and_an_address(home: Account) -> None:
    answer = send(
        login(make_member(home, "admin")),
        "cameras/",
        name="Door",
        address="rtsp://admin:p%40ss@10.0.0.5/main",
    )

    assert answer.status_code == 201
    row = answer.json()
    assert (row["number"], row["driver"], row["address"]) == (1, "rtsp", "rtsp://10.0.0.5/main")
    assert row["has_password"] is True
    assert "p@ss" not in answer.content.decode()
    assert "p%40ss" not in answer.content.decode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Door"}, "address"),
        ({"address": "rtsp://10.0.0.5/main"}, "name"),
        ({"name": "Door", "address": "rtsp://127.0.0.1/main"}, "address"),
        ({"name": "Door", "address": "/etc/passwd"}, "address"),
        ({"name": "Door", "address": "rtsp://10.0.0.5/main", "driver": "smoke"}, "driver"),
    ],
)
def test_a_bad_camera_is_a_400_that_names_the_field(home: Account, body: Any, field: str) -> None:
    answer = send(login(make_member(home, "admin")), "cameras/", **body)

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]
    assert Camera.objects.count() == 0


def test_a_stranger_gets_404_and_an_operator_403(home: Account) -> None:
    camera = make_camera(home)
    stranger = login(make_member(make_account("Other"), "admin"))
    operator = login(make_member(home, "operator"))

    for client, status in ((stranger, 404), (operator, 403)):
        assert send(client, f"cameras/{camera.id}/", "patch", name="Mine").status_code == status
        assert client.delete(f"/api/v1/cameras/{camera.id}/").status_code == status
    assert stranger.get("/api/v1/cameras/").json()["count"] == 0
    camera.refresh_from_db()
    assert camera.name != "Mine"


def test_a_camera_is_changed_and_removed(home: Account) -> None:
    admin = login(make_member(home, "admin"))
    camera = make_camera(home)

    assert send(admin, f"cameras/{camera.id}/", "patch", name="Gate").json()["name"] == "Gate"
    assert admin.delete(f"/api/v1/cameras/{camera.id}/").status_code == 204
    assert Camera.objects.count() == 0


def test_probe_refuses_what_may_not_be_opened(home: Account) -> None:
    answer = send(login(make_member(home, "admin")), "cameras/probe/", address="rtsp://127.0.0.1:1/x")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["address"]


def test_probe_shows_a_picture_without_saving(home: Account, farm: Farm, settings: Any) -> None:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.0/8"]

    answer = send(login(make_member(home, "admin")), "cameras/probe/", address=farm.url(0))

    assert answer.status_code == 200, answer.content
    seen = answer.json()
    assert (seen["driver"], seen["codec"], seen["width"], seen["height"]) == ("rtsp", "h264", 320, 240)
    kind, _, data = seen["picture"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(data).startswith(b"\xff\xd8")
    assert Camera.objects.count() == 0


def test_the_command_adds_and_probes(home: Account, farm: Farm, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("camera", "probe", farm.url(0))
    call_command("camera", "add", "Door", farm.url(0))

    assert "rtsp: h264 320x240" in capsys.readouterr().out
    assert Camera.objects.get().trusted_origin == farm.url(0).rsplit("/", 1)[0]


def test_the_command_names_the_field_that_is_wrong(home: Account) -> None:
    with pytest.raises(CommandError, match=r"^address: "):
        call_command("camera", "add", "Door", "gopher://cam")


@pytest.mark.parametrize("path", ["cameras", "camera-groups"])
def test_nothing_is_open_without_a_login(path: str) -> None:
    assert Client().get(f"/api/v1/{path}/").status_code == 401


def test_the_admin_keeps_secrets_to_itself(home: Account) -> None:
    client = Client()
    client.force_login(make_superuser())
    form = {
        "account": str(home.id),
        "name": "Door",
        "address": "rtsp://10.0.0.5/main",
        "driver": "",
        "username": "admin",
        "password": "hush hush",
        "options": "{}",
        "is_enabled": "on",
        "is_on_wall": "on",
    }

    assert client.post("/admin/cameras/camera/add/", form).status_code == 302
    camera = Camera.objects.get()
    page = client.get(f"/admin/cameras/camera/{camera.id}/change/")

    assert camera.secret
    assert page.status_code == 200
    assert b"hush hush" not in page.content
    for model in ("camera", "cameragroup", "sensor"):
        assert client.get(f"/admin/cameras/{model}/").status_code == 200
