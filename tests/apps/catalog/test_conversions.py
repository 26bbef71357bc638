"""Conversions: made by a job in a child, fetched with a checksum, deleted with their file."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client

from apps.accounts.models import Account
from apps.catalog import conversions, files, workshop
from apps.catalog.models import ModelConversion
from apps.core import jobs
from apps.core.models import Task, TaskState
from omma_engine.detect.onnx_detector import OnnxDetector
from tests import factories
from tests.engine.detect.tiny_onnx import picture_with, tiny_bytes

pytestmark = pytest.mark.django_db
CONVERSIONS = "/api/v1/model-conversions/"


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.OMMA_DATA_DIR = tmp_path
    monkeypatch.setattr(jobs, "_nudge", lambda task: None)
    return tmp_path / "models"


@pytest.fixture
def account() -> Account:
    return factories.make_account()


@pytest.fixture
def client(account: Account) -> Client:
    client = Client()
    client.force_login(factories.make_member(account, "admin").user)
    return client


@pytest.fixture
def version(client: Client) -> dict[str, Any]:
    row = client.post(
        "/api/v1/models/", {"name": "Shapes", "file": SimpleUploadedFile("x.onnx", tiny_bytes())}
    ).json()
    found: dict[str, Any] = row["versions"][0]
    return found


def begin(client: Client, version: dict[str, Any], target: str) -> Any:
    body = {"version": version["id"], "target": target}
    return client.post(CONVERSIONS, body, content_type="application/json")


def work(conversion: dict[str, Any]) -> Task:
    """Run the conversion's job until it is over, as a worker does, turn by turn."""
    task = Task.objects.get(parameters__conversion_id=conversion["id"])
    for _ in range(8):
        jobs.run_task(task.pk)
        task.refresh_from_db()
        if task.state not in {TaskState.PENDING, TaskState.RUNNING}:
            break
    return task


def test_a_version_is_converted_and_fetched(client: Client, version: dict[str, Any], folder: Path) -> None:
    row = begin(client, version, "fp16").json()

    task = work(row)

    assert (row["state"], task.state, task.error) == ("pending", "done", "")
    done = client.get(f"{CONVERSIONS}{row['id']}/").json()
    assert (done["state"], done["progress"]) == ("done", 1.0)
    content = files.path_of(ModelConversion.objects.get().file).read_bytes()
    assert done["sha256"] == hashlib.sha256(content).hexdigest()
    assert done["size_bytes"] == len(content)
    assert OnnxDetector(content).detect([picture_with(("red", 8, 24))], at_us=[0])[0].labels == ("red",)
    assert list((folder / "work").iterdir()) == []
    assert begin(client, version, "fp16").json()["id"] == row["id"]


@pytest.mark.django_db(transaction=True)
async def test_a_converted_file_is_downloaded_by_those_who_may(settings: LazySettings) -> None:
    from asgiref.sync import sync_to_async

    def prepare() -> tuple[ModelConversion, Any, Any]:
        account = factories.make_account()
        admin = factories.make_member(account, "admin").user
        foreign = factories.make_member(factories.make_account("Foreign"), "admin").user
        client = Client()
        client.force_login(admin)
        model = client.post(
            "/api/v1/models/", {"name": "Shapes", "file": SimpleUploadedFile("x.onnx", tiny_bytes())}
        ).json()
        row = begin(client, model["versions"][0], "int8").json()
        work(row)
        return ModelConversion.objects.get(pk=row["id"]), admin, foreign

    row, admin, foreign = await sync_to_async(prepare)()
    mine, theirs = AsyncClient(), AsyncClient()
    await mine.aforce_login(admin)
    await theirs.aforce_login(foreign)
    address = f"/media/v1/conversions/{row.pk}"

    answer = await mine.get(address)
    content = b"".join([part async for part in answer.streaming_content])  # type: ignore[attr-defined]

    assert hashlib.sha256(content).hexdigest() == row.sha256 == answer["X-Content-SHA256"]
    assert "shapes-v1-int8.onnx" in answer["Content-Disposition"]
    assert (await theirs.get(address)).status_code == 404
    assert (await AsyncClient().get(address)).status_code == 401


def test_a_target_that_is_not_installed_or_does_not_fit_says_so(
    client: Client, version: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omma_engine.workshop.converters.importlib.util.find_spec", lambda _name: None)

    targets = {one["name"]: one for one in client.get(f"{CONVERSIONS}targets/").json()}
    absent, unknown = begin(client, version, "openvino"), begin(client, version, "coffee")

    assert targets["fp16"]["missing"] == ""
    assert targets["openvino"]["missing"] == "OpenVINO is not installed here (pip install openvino)"
    assert absent.json()["error"]["code"] == "target_unavailable"
    assert "not installed here" in absent.json()["error"]["message"]
    assert "expected a target of fp16" in unknown.json()["error"]["message"]
    assert not ModelConversion.objects.exists()


def test_work_that_fails_tells_why_and_leaves_nothing(
    client: Client, version: dict[str, Any], folder: Path
) -> None:
    row = begin(client, version, "fp16").json()
    (folder / f"{version['sha256']}.onnx").write_bytes(b"rotten")

    task = work(row)

    failed = client.get(f"{CONVERSIONS}{row['id']}/").json()
    assert (task.state, failed["state"]) == ("failed", "failed")
    assert failed["error"]
    assert failed["file_url"] is None
    assert list((folder / "work").iterdir()) == []


def test_work_whose_child_dies_is_begun_again_and_not_for_ever(
    client: Client, version: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "_is_working", lambda folder: False)
    monkeypatch.setattr(workshop, "TURN_S", 0.2)
    monkeypatch.setattr("apps.catalog.workshop.sys.executable", "/bin/false")

    task = work(begin(client, version, "fp16").json())

    assert task.state == "failed"
    assert task.error == "The work ended 3 times before it was done."


def test_a_deleted_conversion_ends_its_work_and_takes_the_file_along(
    client: Client, version: dict[str, Any], folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    made = begin(client, version, "fp16").json()
    work(made)
    waiting = begin(client, version, "int8").json()

    with django_capture_on_commit_callbacks(execute=True):
        answers = [client.delete(f"{CONVERSIONS}{row['id']}/") for row in (made, waiting)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert list((folder / "conversions").iterdir()) == []
    assert Task.objects.get(parameters__conversion_id=waiting["id"]).state == "cancelled"


def test_only_administrators_convert(client: Client, account: Account, version: dict[str, Any]) -> None:
    operator, foreign = Client(), Client()
    operator.force_login(factories.make_member(account, "operator").user)
    foreign.force_login(factories.make_member(factories.make_account("Foreign"), "admin").user)
    row = begin(client, version, "fp16").json()

    assert begin(operator, version, "int8").status_code == 403
    assert begin(foreign, version, "int8").status_code == 400
    assert foreign.get(f"{CONVERSIONS}{row['id']}/").status_code == 404
    assert operator.delete(f"{CONVERSIONS}{row['id']}/").status_code == 403
    assert conversions.MAX_UNFINISHED > 1
