"""Requests that cannot be read are refused with the name of what is wrong."""

import pytest
from django.test import Client

from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client: Client) -> Client:
    client.force_login(make_member(make_account(), "admin").user)
    return client


@pytest.mark.parametrize("value", ["nonsense", "2", "..", "1 OR 1=1"])
def test_a_truth_value_that_is_none_names_the_filter(api: Client, value: str) -> None:
    answer = api.get("/api/v1/cameras/", {"is_enabled": value})

    assert answer.status_code == 400
    assert answer.json()["error"]["fields"] == {"is_enabled": ["Expected true or false."]}


@pytest.mark.parametrize("value", ["true", "False", "1", "0", ""])
def test_truth_values_are_taken_as_people_write_them(api: Client, value: str) -> None:
    assert api.get("/api/v1/cameras/", {"is_enabled": value}).status_code == 200


def test_half_a_surrogate_pair_is_refused(api: Client) -> None:
    body = b'{"name": "Door", "address": "rtsp://10.0.0.5/x", "driver": "\\ud800"}'

    answer = api.post("/api/v1/cameras/", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "parse_error"


def test_a_whole_surrogate_pair_is_a_character(api: Client) -> None:
    body = b'{"name": "\\ud83d\\ude00", "address": "rtsp://10.0.0.5/x"}'

    answer = api.post("/api/v1/cameras/", body, content_type="application/json")

    assert answer.status_code == 201, answer.content
    assert answer.json()["name"] == "\U0001f600"
