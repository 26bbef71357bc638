"""What every request has: an id, an account, a content type, and errors in one form."""

import base64
import logging
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from apps.dialects.luna.request_ids import HEADER, is_request_id
from tests import factories
from tests.apps.dialects.luna.house import Luna, error_of, make_luna, stream_body

REQUEST_ID = "1536751345,8b8b5937-2e9c-4e8b-a7a7-5caf86621b5a"


def test_an_id_is_made_or_given_back(luna: Luna) -> None:
    made = luna.ask("GET", "/version")
    kept = luna.ask("GET", "/version", headers={HEADER: REQUEST_ID})

    assert is_request_id(made[HEADER])
    assert kept[HEADER] == REQUEST_ID


@pytest.mark.parametrize(
    "sent", ["", "1536751345", REQUEST_ID.upper(), f"x{REQUEST_ID}", f"{REQUEST_ID}\u00e9"]
)
def test_a_malformed_id_is_refused_and_replaced(luna: Luna, sent: str) -> None:
    answer = luna.ask("GET", "/version", headers={HEADER: sent.encode().decode("latin-1")})

    assert error_of(answer)[:2] == (400, 12016)
    assert is_request_id(answer[HEADER])
    assert answer[HEADER] != sent


def test_every_error_carries_the_id_too(luna: Luna) -> None:
    headers = {HEADER: REQUEST_ID}
    answers = [
        luna.ask("GET", "/2/streams/nonsense", headers=headers),
        luna.ask("PUT", "/2/streams", headers=headers),
        luna.ask("GET", f"/2/streams/{uuid4()}", headers=headers),
        luna.ask("POST", "/2/streams", headers=headers),
        Client().get("/compat/luna/omt_wrong/version", headers=headers),
    ]

    assert [answer[HEADER] for answer in answers] == [REQUEST_ID] * len(answers)
    numbers = [error_of(answer)[:2] for answer in answers]
    assert numbers == [(404, 12013), (405, 12021), (404, 44001), (400, 12030), (401, 11065)]


def test_the_id_ties_an_answer_to_the_log(luna: Luna, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="apps.dialects.luna"):
        luna.ask("POST", "/2/streams", headers={HEADER: REQUEST_ID})

    assert REQUEST_ID in caplog.text


def test_a_refused_method_names_those_that_there_are(luna: Luna) -> None:
    answer = luna.ask("POST", "/version")

    assert (error_of(answer)[:2], answer["Allow"]) == ((405, 12021), "GET, HEAD")


@pytest.mark.parametrize(
    ("content", "content_type", "number"),
    [
        ("{}", "text/plain", 12017),
        ("", "application/json", 12030),
        ("{", "application/json", 12022),
        ("[" * 100_000, "application/json", 12022),
        ('{"name": "\\ud800"}', "application/json", 12022),
        ('{"name": "\\u0000"}', "application/json", 12022),
        ('"text"', "application/json", 12022),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    luna: Luna, content: str, content_type: str, number: int
) -> None:
    headers = {"luna-account-id": str(luna.account.pk)}
    answer = Client().generic(
        "POST", f"{luna.base}/2/streams", content, content_type=content_type, headers=headers
    )

    assert error_of(answer)[:2] == (400, number)
    assert luna.get("/2/streams") == {"streams": []}


def test_the_account_header_is_needed_and_never_believed(luna: Luna) -> None:
    other = make_luna()

    def create(header: dict[str, str]) -> Any:
        return Client().post(
            f"{luna.base}/2/streams", stream_body(), content_type="application/json", headers=header
        )

    assert error_of(create({}))[:2] == (400, 11066)
    assert error_of(create({"luna-account-id": "abc"}))[:2] == (400, 11037)
    assert error_of(create({"luna-account-id": str(other.account.pk)}))[:2] == (403, 11036)
    assert error_of(create({"luna-account-id": str(uuid4())}))[:2] == (403, 11036)
    assert create({"luna-account-id": str(luna.account.pk)}).status_code == 201


def test_nobody_gets_in_without_a_login(luna: Luna) -> None:
    for path in ("/version", "/healthcheck", "/2/streams", "/config", "/docs/dev", "/docs/spec", "/plugins"):
        answer = Client().get(f"/compat/luna/{luna.account.pk}{path}")

        assert error_of(answer)[:2] == (401, 11065)
        assert answer["WWW-Authenticate"].startswith("Basic ")


def test_an_account_in_the_address_needs_a_login_of_its_own(luna: Luna) -> None:
    path = f"/compat/luna/{luna.account.pk}/version"
    stranger = make_luna()
    bearer = {"authorization": f"Bearer {luna.token}"}

    assert Client(headers=bearer).get(path).status_code == 200
    refused = Client(headers={"authorization": f"Bearer {stranger.token}"}).get(path)
    assert error_of(refused)[:2] == (404, 12013)


def test_another_page_changes_nothing_by_a_cookie(luna: Luna) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(luna.member.user)
    base = f"/compat/luna/{luna.account.pk}"
    headers = {"luna-account-id": str(luna.account.pk)}

    assert browser.get(f"{base}/2/streams").status_code == 200
    refused = browser.post(
        f"{base}/2/streams", stream_body(), content_type="application/json", headers=headers
    )
    assert error_of(refused)[:2] == (403, 11036)
    assert luna.get("/2/streams") == {"streams": []}


def test_a_viewer_reads_and_changes_nothing(luna: Luna) -> None:
    stream_id = luna.create()
    viewer = make_luna("viewer", luna.account)

    assert len(viewer.get("/2/streams")["streams"]) == 1
    for method, path in (
        ("POST", "/2/streams"),
        ("PUT", f"/2/streams/{stream_id}"),
        ("PATCH", f"/2/streams/{stream_id}?action=stop"),
        ("DELETE", f"/2/streams/{stream_id}"),
        ("GET", "/config"),
    ):
        assert error_of(viewer.ask(method, path, stream_body()))[:2] == (403, 11036), (method, path)
    assert len(luna.get("/2/streams")["streams"]) == 1


def test_other_origins_are_let_in_by_setting_and_only_with_a_token(luna: Luna, settings: Settings) -> None:
    origin = {"origin": "https://elsewhere.example"}
    allow = "Access-Control-Allow-Origin"

    assert allow not in luna.ask("GET", "/version", headers=origin)
    settings.OMMA_COMPAT_CORS = True
    assert luna.ask("GET", "/version", headers=origin)[allow] == "*"
    preflight = luna.ask("OPTIONS", "/2/streams", headers=origin)
    assert (preflight.status_code, preflight[allow]) == (204, "*")
    assert "Luna-Account-Id" in preflight["Access-Control-Allow-Headers"]
    assert "POST" in preflight["Access-Control-Allow-Methods"]
    bearer = Client(headers={"authorization": f"Bearer {luna.token}"})
    assert allow not in bearer.get(f"/compat/luna/{luna.account.pk}/version", headers=origin)


def test_a_person_with_a_password_asks_with_basic(luna: Luna) -> None:
    login = base64.b64encode(f"{luna.member.user.username}:{factories.PASSWORD}".encode()).decode()
    answer = Client(headers={"authorization": f"Basic {login}"}).get(
        f"/compat/luna/{luna.account.pk}/version"
    )

    assert answer.json()["Version"]["minor"] == 28
