"""Every error has one envelope, wherever it is raised, and a fault shows no traceback."""

from typing import Any

import pytest
import redis
from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import exceptions as ours

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

ERRORS: dict[str, Exception] = {
    "input": ours.InvalidInputError("Bad.", field="name"),
    "login": ours.NotAuthenticatedError("Log in first."),
    "forbidden": ours.ForbiddenError("No."),
    "absent": ours.NotVisibleError(),
    "conflict": ours.ConflictError("Twice."),
    "large": ours.PayloadTooLargeError("Too much."),
    "range": ours.RangeNotSatisfiableError("Not there."),
    "throttled": ours.ThrottledError("Slow down.", retry_after_s=7),
    "away": ours.UnavailableError("Away."),
    "database": OperationalError("connection refused at 10.0.0.1 with password hunter2"),
    "database-closed": InterfaceError("connection already closed"),
    "broker": redis.exceptions.ConnectionError("secret"),
    "http404": Http404("secret"),
    "denied": PermissionDenied("Not you."),
    "suspicious": SuspiciousOperation("secret"),
    "model": ValidationError({"name": ["Too long."]}),
    "duplicate": IntegrityError("duplicate key value violates secret"),
    "data": DataError("unsupported Unicode escape sequence"),
    "framework": drf.ValidationError({"cameras": [{}, {"name": ["Needed."]}]}),
    "fault": RuntimeError("secret"),
}


class ApiView(APIView):
    permission_classes = (AllowAny,)

    def get(self, request: Request, name: str) -> Response:
        raise ERRORS[name]

    def post(self, request: Request, name: str) -> Response:
        serializer: serializers.Serializer[Any] = BodySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(serializer.data)


class BodySerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=3)
    options = serializers.JSONField(required=False)


def plain_view(request: HttpRequest, name: str) -> HttpResponse:
    raise ERRORS[name]


urlpatterns = [
    path("api/v1/raise/<name>/", ApiView.as_view()),
    path("media/v1/raise/<name>/", plain_view),
    path("page/<name>/", plain_view),
]
handler400 = "apps.core.error_views.bad_request"
handler403 = "apps.core.error_views.permission_denied"
handler404 = "apps.core.error_views.page_not_found"
handler500 = "apps.core.error_views.server_error"

EXPECTED = [
    ("input", 400, "invalid", {"name": ["Bad."]}),
    ("login", 401, "not_authenticated", {}),
    ("forbidden", 403, "permission_denied", {}),
    ("absent", 404, "not_found", {}),
    ("conflict", 409, "conflict", {}),
    ("large", 413, "payload_too_large", {}),
    ("range", 416, "range_not_satisfiable", {}),
    ("throttled", 429, "throttled", {}),
    ("away", 503, "unavailable", {}),
    ("database", 503, "database_unavailable", {}),
    ("database-closed", 503, "database_unavailable", {}),
    ("broker", 503, "broker_unavailable", {}),
    ("http404", 404, "not_found", {}),
    ("denied", 403, "permission_denied", {}),
    ("suspicious", 400, "invalid", {}),
]
ONLY_IN_THE_API = [
    ("model", 400, "invalid", {"name": ["Too long."]}),
    ("duplicate", 409, "conflict", {}),
    ("data", 400, "invalid", {}),
    ("framework", 400, "invalid", {"cameras.1.name": ["Needed."]}),
]


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


def check(answer: Any, status: int, code: str, fields: dict[str, list[str]]) -> None:
    body = answer.json()
    assert answer.status_code == status
    assert list(body) == ["error"]
    assert sorted(body["error"]) == ["code", "detail", "fields", "message"]
    assert (body["error"]["code"], body["error"]["fields"]) == (code, fields)
    assert "secret" not in answer.content.decode()
    assert "hunter2" not in answer.content.decode()


@pytest.mark.parametrize(("name", "status", "code", "fields"), EXPECTED + ONLY_IN_THE_API)
def test_errors_in_api_views(client: Client, name: str, status: int, code: str, fields: Any) -> None:
    check(client.get(f"/api/v1/raise/{name}/"), status, code, fields)


@pytest.mark.parametrize(("name", "status", "code", "fields"), EXPECTED)
def test_errors_in_plain_views_for_programs(
    client: Client, name: str, status: int, code: str, fields: Any
) -> None:
    check(client.get(f"/media/v1/raise/{name}/"), status, code, fields)


@pytest.mark.parametrize(("name", "status", "code", "fields"), EXPECTED)
def test_people_get_a_page(client: Client, name: str, status: int, code: str, fields: Any) -> None:
    answer = client.get(f"/page/{name}/")

    assert answer.status_code == status
    assert answer["Content-Type"].startswith("text/html")
    assert "WWW-Authenticate" not in answer
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("address", ["/api/v1/raise/fault/", "/media/v1/raise/fault/", "/page/fault/"])
def test_a_fault_says_nothing_about_itself(client: Client, address: str) -> None:
    answer = client.get(address)

    assert answer.status_code == 500
    assert "secret" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    if not address.startswith("/page/"):
        assert answer.json()["error"]["code"] == "internal"


def test_what_can_be_tried_again_says_when(client: Client) -> None:
    assert client.get("/api/v1/raise/throttled/")["Retry-After"] == "7"
    assert client.get("/api/v1/raise/database/")["Retry-After"] == "5"
    assert client.get("/media/v1/raise/away/")["Retry-After"] == "5"


@pytest.mark.parametrize(
    "address", ["/api/v1/nothing/", "/api/nothing", "/media/v1/nothing", "/ws/v1/nothing"]
)
def test_an_unknown_address_for_programs_is_json(client: Client, address: str) -> None:
    check(client.get(address), 404, "not_found", {})


def test_an_unknown_page_is_a_page(client: Client) -> None:
    answer = client.get("/nothing/")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_method_that_is_not_there_is_405(client: Client) -> None:
    answer = client.delete("/api/v1/raise/x/")

    check(answer, 405, "method_not_allowed", {})
    assert answer["Allow"] == "GET, POST, HEAD, OPTIONS"


def post(client: Client, body: Any, content_type: str = "application/json") -> Any:
    return client.post("/api/v1/raise/x/", body, content_type=content_type)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name": ["This field is required."]}),
        ({"name": "long"}, {"name": ["Ensure this field has no more than 3 characters."]}),
        ({"name": "\x00"}, {"name": ["Null characters are not allowed."]}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_a_bad_body_names_its_fields(client: Client, body: Any, fields: dict[str, list[str]]) -> None:
    check(post(client, body), 400, "invalid", fields)


_BROKEN = ["{", "nope", '{"name": NaN}', "[" * 100_000, b'{"name": "\xed\xa0\x80"}', b"\xff\xfe"]


@pytest.mark.parametrize("body", _BROKEN)
def test_broken_json_is_400(client: Client, body: Any) -> None:
    answer = post(client, body)

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in {"parse_error", "invalid"}


def test_another_media_type_is_415(client: Client) -> None:
    check(post(client, "<xml/>", "application/xml"), 415, "unsupported_media_type", {})


def test_a_body_that_is_too_large_is_413(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    check(post(client, {"name": "x" * 1000}), 413, "payload_too_large", {})


def test_a_form_that_is_too_large_is_413(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    check(
        post(client, "name=" + "x" * 1000, "application/x-www-form-urlencoded"), 413, "payload_too_large", {}
    )


def test_a_foreign_host_name_is_400(client: Client) -> None:
    assert client.get("/api/v1/raise/absent/", headers={"host": "evil.example"}).status_code == 400
