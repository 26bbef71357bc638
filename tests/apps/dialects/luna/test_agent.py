"""The agent itself: info, plugins, health, version, configuration and documents."""

import json
import re
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import settings as running
from pytest_django import Settings

from apps.dialects.luna import agent
from apps.system.health import HealthCheck
from omma.settings.base import BASE_DIR
from tests.apps.dialects.luna.house import Luna, error_of


def test_the_agent_says_what_it_can_do(luna: Luna) -> None:
    luna.create(groups=["north", "doors"])
    info = luna.get("/2/agent_info")

    assert sorted(info) == ["agent_id", "analytics", "groups", "streams"]
    names = [one["analytic_name"] for one in info["analytics"]]
    assert names == ["people_count", "faces", "motion", "people"]
    assert (info["streams"]["count"], info["streams"]["statuses"]["pending"]) == (1, 1)
    assert info["groups"] == ["doors", "north"]
    assert luna.get("/1/agent_info") == info


def test_plugins_are_drivers_detectors_and_converters(luna: Luna) -> None:
    found = luna.get("/plugins")["plugins"]

    assert {one["kind"] for one in found} == {"driver", "detector", "converter"}
    by_name = {(one["kind"], one["name"]): one for one in found}
    assert by_name["driver", "rtsp"]["origin"] == "omma"
    assert by_name["detector", "opencv:people"]["status"] == "ready"
    assert by_name["converter", "fp16"]["status"] == "ready"


def test_the_version_is_the_protocols(luna: Luna) -> None:
    assert luna.get("/version") == {"Version": {"api": 1, "major": 1, "minor": 28, "patch": 0}}


def test_health_names_what_failed(luna: Luna, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(luna.get("/healthcheck")["execution_time"], float)

    def say(code: str) -> None:
        monkeypatch.setattr(
            agent, "health_checks", lambda: [HealthCheck(code, code, False, "does not answer")]
        )

    say("broker")
    assert error_of(luna.ask("GET", "/healthcheck")) == (503, 11, "broker: does not answer")
    say("capture")
    assert luna.ask("GET", "/healthcheck?include_luna_services=0").status_code == 200
    failed = luna.ask("GET", "/healthcheck?include_luna_services=1")
    assert error_of(failed) == (503, 11, "capture: does not answer")
    assert error_of(luna.ask("GET", "/healthcheck?include_luna_services=2"))[:2] == (400, 12012)


def test_the_configuration_hides_what_is_secret(luna: Luna, settings: Settings) -> None:
    settings.OMMA_ADMIN_PASSWORD = "a very secret password"
    settings.OMMA_TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    settings.OMMA_MODELS_URL = "https://user:models-pw@models.example/"
    password = urlsplit(running.DATABASE_URL).password
    assert password

    found = luna.ask("GET", "/config", headers={"accept": "application/json"})
    text = luna.ask("GET", "/config", headers={"accept": "text/plain"})

    for answer in (found, text):
        shown = answer.content.decode()
        for secret in (password, running.SECRET_KEY, "a very secret password", "models-pw"):
            assert secret not in shown
    assert found.json()["LUNA_VIDEO_AGENT_DB"]["password"] == "***"
    assert found.json()["OMMA"]["ADMIN_PASSWORD"] == "***"
    assert found.json()["OMMA"]["TRUSTED_PROXIES"] == ["10.0.0.0/8"]
    assert "OMMA.VERSION = " in text.content.decode()
    assert text["Content-Type"].startswith("text/plain")
    assert error_of(luna.ask("GET", "/config", headers={"accept": "image/png"}))[:2] == (406, 12024)


def test_the_documentation_comes_in_two_forms_and_no_others(luna: Luna) -> None:
    document = luna.ask("GET", "/docs/spec", headers={"accept": "application/x-yaml"})
    page = luna.ask("GET", "/docs/spec", headers={"accept": "text/html"})

    assert document["Content-Type"].startswith("application/x-yaml")
    parsed = yaml.safe_load(document.content)
    assert parsed["openapi"].startswith("3.")
    assert "post" in parsed["paths"]["/2/streams"]
    assert "/2/streams" in page.content.decode()
    for accept in ("application/json", ""):
        refused = luna.ask("GET", "/docs/spec", headers={"accept": accept} if accept else {})
        assert error_of(refused)[:2] == (406, 12024)


def test_every_documented_address_is_there(luna: Luna) -> None:
    parsed = yaml.safe_load(luna.ask("GET", "/docs/spec", headers={"accept": "application/x-yaml"}).content)
    missing: list[Any] = []
    for path, methods in parsed["paths"].items():
        if path == "/2/ws":
            continue
        address = re.sub(r"{\w+}", "00000000-0000-7000-8000-000000000000", path)
        for method in methods:
            answer = luna.ask(method.upper(), address)
            if answer.status_code == 405 or b'"error_code": 12013' in answer.content:
                missing.append((method, path, answer.status_code))

    assert missing == []


def test_the_manual_is_the_built_design(luna: Luna) -> None:
    lead = luna.ask("GET", "/docs/dev")
    assert (lead.status_code, lead["Location"]) == (302, f"{luna.base}/docs/dev/index.html")

    index = luna.ask("GET", "/docs/dev/index.html").content.decode()
    linked = set(re.findall(r'href="([a-z-]+)\.html"', index))
    written = {path.stem for path in (BASE_DIR / "docs" / "design").glob("*.md")} - {"README"}
    assert "dialects" in linked
    for name in linked | written:
        page = luna.ask("GET", f"/docs/dev/{name}.html")
        assert page.status_code == 200, name
        assert "<h1" in page.content.decode()
    assert 'id="luna-errors"' in luna.ask("GET", "/docs/dev/dialects.html").content.decode()


@pytest.mark.parametrize("name", ["nothing", "..%2f..%2fREADME", "%2e%2e"])
def test_nothing_but_the_manual_is_served(luna: Luna, name: str) -> None:
    answer = luna.ask("GET", f"/docs/dev/{name}.html")

    assert answer.status_code == 404
    assert json.loads(answer.content)["error_code"] in {12013, 12032}
