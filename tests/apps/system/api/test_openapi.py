"""The committed schema is what the code says, and the code says it without a warning."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from tests import factories

ROOT = Path(__file__).resolve().parents[4]


def test_the_committed_schema_is_current(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"

    call_command("spectacular", "--fail-on-warn", "--validate", file=str(made))

    same = made.read_text(encoding="utf-8") == (ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8")
    assert same, "run: manage.py spectacular --fail-on-warn --file docs/openapi.yaml"


@pytest.mark.django_db
def test_the_schema_takes_a_login(client: Client) -> None:
    anonymous = client.get("/api/schema/")
    client.force_login(factories.make_user())

    assert anonymous.status_code == 401
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/docs/").status_code == 200
