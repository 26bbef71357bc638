"""Who gets what from SpectraX's addresses, at the root and below `/compat/`."""

import base64
import logging
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from apps.core.redaction import RedactingFilter
from tests import factories
from tests.apps.dialects.spectrax.yard import Seen, Yard, add_recording

READING = ("/status", "/paths", "/api/recordings", "/api/recordings/stats", "/api/recordings/1")
MEDIA = ("/video/stream", "/recordings/front-door_2026-11-20_12-00-00_1.mp4", "/api/recordings/file/x.mp4")


@pytest.fixture
def filled(yard: Yard) -> Yard:
    add_recording(yard.front, 0, 10, [Seen("person", 0.9)])
    add_recording(yard.back, 0, 20, [Seen("dog", 0.8)])
    return yard


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def error_of(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert sorted(body) == ["detail", "message", "status"]
    assert (body["status"], body["detail"]) == ("error", body["message"])
    return answer.status_code, body["message"]


@pytest.mark.django_db(transaction=True)
def test_nobody_gets_in_without_a_login(filled: Yard) -> None:
    for address in (*READING, *MEDIA):
        for prefix in ("", f"/compat/spectrax/{filled.account.pk}", f"/compat/spectrax/{uuid4()}"):
            answer = Client().get(prefix + address)

            assert error_of(answer) == (401, "Log in first.")
            assert answer["WWW-Authenticate"].startswith("Basic ")
        assert error_of(Client().get(address, headers=bearer("omt_wrong")))[0] == 401


def test_a_wrong_password_is_refused(filled: Yard) -> None:
    for name, password in ((filled.viewer.user.username, "wrong"), ("x", ""), ("", "")):
        assert error_of(Client().get("/paths", headers=basic(name, password)))[0] == 401


def test_password_session_and_token_see_the_same(filled: Yard) -> None:
    session = Client()
    session.force_login(filled.viewer.user)
    ways = [
        (Client(headers=basic(filled.viewer.user.username, factories.PASSWORD)), ""),
        (session, ""),
        (session, f"/compat/spectrax/{filled.account.pk}"),
        (filled.client, f"/compat/spectrax/{filled.account.pk}"),
        (Client(), f"/compat/spectrax/{filled.token}"),
    ]

    for address in READING[1:]:
        expected = filled.get(address)
        for client, prefix in ways:
            assert client.get(prefix + address).json() == expected, (prefix, address)


def test_a_token_in_the_address_is_the_whole_login(filled: Yard) -> None:
    elsewhere = factories.make_member(factories.make_account(), "admin")
    other = factories.make_token(elsewhere)[1]
    session = Client()
    session.force_login(filled.viewer.user)

    assert session.get(f"/compat/spectrax/{other}/paths").json() == {"paths": []}
    assert Client().get(f"/compat/spectrax/{filled.token}/paths", headers=bearer("omt_wrong")).json()["paths"]
    refused = session.get("/compat/spectrax/omt_wrong/paths")
    assert error_of(refused)[0] == 401
    assert refused["WWW-Authenticate"] == 'Bearer realm="Omma"'


def test_somebody_elses_account_is_as_if_it_were_not_there(filled: Yard) -> None:
    stranger = Client()
    stranger.force_login(factories.make_member(factories.make_account("Elsewhere"), "admin").user)

    for address in READING:
        keys = (filled.account.pk, uuid4(), "nonsense")
        answers = [stranger.get(f"/compat/spectrax/{key}{address}") for key in keys]

        assert {error_of(one) for one in answers} == {(404, "Not found.")}
    assert stranger.get("/paths").json() == {"paths": []}
    assert stranger.get("/api/recordings").json()["total"] == 0
    assert error_of(stranger.get("/api/recordings/1")) == (404, "Recording 1 not found")


def test_a_limited_member_counts_only_what_they_may_see(filled: Yard) -> None:
    member = factories.make_limited_member(filled.account, "viewer", [filled.back.stream.camera])
    client = Client(headers=bearer(factories.make_token(member)[1]))

    assert client.get("/paths").json() == {"paths": ["video/backyard"]}
    assert list(client.get("/status").json()["cameras"]) == ["video/backyard"]
    assert client.get("/api/recordings").json()["total"] == 1
    statistics = client.get("/api/recordings/stats").json()
    assert (statistics["total_recordings"], statistics["objects"]) == (1, {"dog": 1})
    assert error_of(client.get("/api/recordings/1")) == (404, "Recording 1 not found")
    assert client.get("/api/recordings/2").status_code == 200


def test_a_hidden_camera_of_the_same_name_does_not_show_in_a_path(filled: Yard) -> None:
    filled.back.stream.camera.name = "Front door"
    filled.back.stream.camera.save()
    member = factories.make_limited_member(filled.account, "viewer", [filled.back.stream.camera])

    body = Client(headers=bearer(factories.make_token(member)[1])).get("/paths").json()

    assert body == {"paths": ["video/front-door"]}


def test_a_person_in_two_accounts_reaches_the_second_by_its_id(filled: Yard) -> None:
    second = factories.make_account("Second")
    factories.make_member(second, "viewer", user=filled.viewer.user)
    client = Client()
    client.force_login(filled.viewer.user)

    assert client.get("/api/recordings").json()["total"] == 2
    assert client.get(f"/compat/spectrax/{second.pk}/api/recordings").json()["total"] == 0


def test_a_superuser_may_look_into_every_account(filled: Yard) -> None:
    client = Client()
    client.force_login(factories.make_superuser())

    assert client.get(f"/compat/spectrax/{filled.account.pk}/api/recordings").json()["total"] == 2
    assert client.get("/api/recordings").json()["total"] == 2


def test_other_origins_are_let_in_by_setting_and_only_with_a_token_in_the_address(
    filled: Yard, settings: Settings
) -> None:
    with_token = f"/compat/spectrax/{filled.token}"
    headers = {"origin": "https://elsewhere.example"}
    allow = "Access-Control-Allow-Origin"

    assert allow not in Client().get(f"{with_token}/paths", headers=headers)
    settings.OMMA_COMPAT_CORS = True
    for address in ("/paths", "/api/recordings/99", "/nothing"):
        assert Client().get(with_token + address, headers=headers)[allow] == "*"
    assert Client().get("/compat/spectrax/omt_wrong/paths", headers=headers)[allow] == "*"
    preflight = Client().options(f"{with_token}/api/recordings", headers=headers)
    assert (preflight.status_code, preflight[allow]) == (204, "*")
    for address in ("/paths", f"/compat/spectrax/{filled.account.pk}/paths"):
        assert allow not in filled.client.get(address, headers=headers)
        assert allow not in filled.client.options(address, headers=headers)


def test_a_token_in_an_address_does_not_reach_the_log(filled: Yard) -> None:
    log = StringIO()
    handler = logging.StreamHandler(log)
    handler.addFilter(RedactingFilter())
    logging.getLogger().addHandler(handler)
    try:
        Client().get(f"/compat/spectrax/{filled.token}/api/recordings/99")
    finally:
        logging.getLogger().removeHandler(handler)

    assert "/compat/spectrax/omt_***/api/recordings/99" in log.getvalue()
    assert filled.token not in log.getvalue()
