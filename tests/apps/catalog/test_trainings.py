"""Trainings without the extra: refused with what to install, and nothing kept."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.catalog.models import ModelUpload, Training
from apps.core.models import Task
from omma_engine.workshop import training
from tests import factories

pytestmark = pytest.mark.django_db
TRAININGS = "/api/v1/trainings/"


@pytest.fixture
def client(settings: LazySettings, tmp_path: Path) -> Client:
    settings.OMMA_DATA_DIR = tmp_path
    client = Client()
    client.force_login(factories.make_member(factories.make_account(), "admin").user)
    return client


def dataset(client: Client, kind: str = "dataset") -> str:
    said = {"name": "Shapes", "kind": kind, "size_bytes": 3, "sha256": "0" * 64}
    answer = client.post("/api/v1/model-uploads/", said, content_type="application/json")
    found: str = answer.json()["id"]
    return found


def begin(client: Client, **changes: Any) -> Any:
    body = {"upload": dataset(client), "name": "Shapes", **changes}
    return client.post(TRAININGS, body, content_type="application/json")


def test_where_the_extra_is_absent_it_says_what_to_install(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "missing", lambda: training.MISSING)

    answer = begin(client)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "extra_missing")
    assert "pip install 'omma[yolo]'" in answer.json()["error"]["message"]
    assert not Training.objects.exists()
    assert not Task.objects.filter(kind="model.train").exists()
    assert ModelUpload.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"architecture": "../../etc/passwd"}, "architecture"),
        ({"epochs": 0}, "epochs"),
        ({"picture_px": 9999}, "picture_px"),
        ({"upload": "00000000-0000-7000-8000-000000000000"}, "upload"),
    ],
)
def test_what_cannot_be_trained_is_refused_by_name(
    client: Client, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], field: str
) -> None:
    monkeypatch.setattr(training, "missing", lambda: "")

    answer = begin(client, **changes)

    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_a_dataset_that_is_not_whole_or_a_model_begins_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "missing", lambda: "")

    unfinished = begin(client)
    model = begin(client, upload=dataset(client, "model"))

    assert unfinished.json()["error"]["code"] == "upload_unfinished"
    assert model.json()["error"]["fields"]["upload"]
    assert not Training.objects.exists()
