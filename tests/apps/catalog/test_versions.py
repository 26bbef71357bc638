"""Versions: default parameters, labels of files that name none, and deleting one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Account
from apps.catalog.services import ensure_builtins
from tests import factories
from tests.apps.inference.rows import make_analytic, make_stream
from tests.engine.detect.said_onnx import saying
from tests.engine.detect.tiny_onnx import tiny_bytes

pytestmark = pytest.mark.django_db
MODELS, VERSIONS = "/api/v1/models/", "/api/v1/model-versions/"


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    settings.OMMA_DATA_DIR = tmp_path
    return tmp_path / "models"


@pytest.fixture
def account() -> Account:
    ensure_builtins()
    return factories.make_account()


@pytest.fixture
def client(account: Account) -> Client:
    client = Client()
    client.force_login(factories.make_member(account, "admin").user)
    return client


def upload(client: Client, content: bytes, **fields: Any) -> dict[str, Any]:
    answer = client.post(MODELS, {"name": "Shapes", "file": SimpleUploadedFile("x.onnx", content), **fields})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def change(client: Client, version: dict[str, Any], **values: Any) -> Any:
    return client.patch(f"{VERSIONS}{version['id']}/", values, content_type="application/json")


def test_a_version_tells_what_it_is(client: Client) -> None:
    (version,) = upload(client, tiny_bytes(batch="n"))["versions"]

    assert version["facts"]["head"] == "ultralytics"
    assert (version["facts"]["max_batch"], version["facts"]["opset"], version["facts"]["nodes"]) == (8, 13, 8)
    assert version["known_parameters"] == {
        "score_floor": {"type": "float", "default": 0.1},
        "overlap": {"type": "float", "default": 0.5},
    }


def test_default_parameters_are_set_and_checked(client: Client) -> None:
    (version,) = upload(client, tiny_bytes())["versions"]

    good = change(client, version, parameters={"overlap": 0.7})
    unknown = change(client, version, parameters={"speed": 1})
    bad = change(client, version, parameters={"overlap": "much"})

    assert good.json()["parameters"] == {"overlap": 0.7}
    assert unknown.json()["error"]["fields"] == {
        "parameters": ["The model has no parameter 'speed'; it has overlap, score_floor."]
    }
    assert bad.status_code == 400
    assert client.get(f"{VERSIONS}{version['id']}/").json()["parameters"] == {"overlap": 0.7}


def classes_without_names() -> bytes:
    return saying({"output0": np.array([0.2, 0.3, 0.5])}, {"task": "classify"})


def test_classes_without_names_are_named_by_whoever_uploads_or_later(client: Client) -> None:
    (unnamed,) = upload(client, classes_without_names())["versions"]
    (named,) = upload(client, classes_without_names(), name="Named", labels="cat,dog,bird")["versions"]

    renamed = change(client, unnamed, labels=["a", "b", "c"])
    again = change(client, unnamed, labels=["cat", "dog", "bird"])
    few = change(client, unnamed, labels=["cat"])

    assert unnamed["labels"] == ["class 0", "class 1", "class 2"]
    assert named["labels"] == ["cat", "dog", "bird"]
    assert (renamed.status_code, again.json()["labels"]) == (200, ["cat", "dog", "bird"])
    assert few.json()["error"]["fields"]["labels"] == ["Expected 3 different labels."]


def test_a_file_that_names_its_classes_keeps_them(client: Client) -> None:
    (version,) = upload(client, tiny_bytes())["versions"]

    answer = change(client, version, labels=["one", "two"])

    assert answer.json()["error"]["fields"]["labels"] == ["The file names its classes itself."]


def test_the_task_of_a_file_is_the_model_s(client: Client) -> None:
    row = upload(client, classes_without_names(), name="Kinds")
    other = client.post(MODELS, {"name": "Kinds", "file": SimpleUploadedFile("x.onnx", tiny_bytes())}).json()

    assert row["task"] == "classification"
    assert "is a model for classification, and the file does detection" in other["error"]["message"]


def test_a_version_goes_with_its_file_unless_it_is_used_or_the_only_one(
    client: Client, account: Account, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    upload(client, tiny_bytes())
    new, old = upload(client, tiny_bytes(batch="n"))["versions"]
    analytic = make_analytic(make_stream(account))
    analytic.model_version_id = new["id"]
    analytic.save()
    user = str(analytic.pk)

    used = client.delete(f"{VERSIONS}{new['id']}/")
    with django_capture_on_commit_callbacks(execute=True):
        gone = client.delete(f"{VERSIONS}{old['id']}/")
    analytic.delete()
    only = client.delete(f"{VERSIONS}{new['id']}/")

    assert (used.status_code, gone.status_code, only.status_code) == (409, 204, 409)
    assert used.json()["error"]["detail"] == {"analytics": [user]}
    assert [path.name for path in folder.iterdir()] == [f"{new['sha256']}.onnx"]


def test_only_administrators_change_versions_and_foreign_ones_do_not_exist(
    client: Client, account: Account
) -> None:
    (version,) = upload(client, tiny_bytes())["versions"]
    operator, foreign = Client(), Client()
    operator.force_login(factories.make_member(account, "operator").user)
    foreign.force_login(factories.make_member(factories.make_account("Foreign"), "admin").user)

    assert change(operator, version, parameters={}).status_code == 403
    assert change(foreign, version, parameters={}).status_code == 404
    assert foreign.get(VERSIONS).json()["count"] == 3


def test_supported_algorithms_are_listed(client: Client) -> None:
    found = client.get(f"{MODELS}algorithms/").json()

    assert {task["name"] for task in found["tasks"]} >= {"detection", "pose", "oriented", "motion"}
    assert "yolox" in found["heads"]
    assert {runtime["name"] for runtime in found["runtimes"]} == {"opencv", "onnx", "ultralytics"}
