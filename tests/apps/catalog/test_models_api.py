"""Models over HTTP and from the command line: what comes in, what is refused, and what may be deleted."""

import hashlib
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from apps.accounts.models import Account, Member
from apps.catalog import files
from apps.catalog.models import Model, ModelVersion
from apps.catalog.services import ensure_builtins
from apps.core.models import AuditEntry, Outbox
from tests import factories
from tests.apps.inference.rows import make_analytic, make_stream
from tests.engine.detect.tiny_onnx import METADATA, tiny_bytes

pytestmark = pytest.mark.django_db
MODELS = "/api/v1/models/"


@pytest.fixture(autouse=True)
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    settings.OMMA_DATA_DIR = tmp_path
    return tmp_path / "models"


@pytest.fixture
def account() -> Account:
    ensure_builtins()
    return factories.make_account()


def client_of(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def admin_of(account: Account) -> Client:
    return client_of(factories.make_member(account, "admin"))


def upload(client: Client, content: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("shapes.onnx", content)
    return client.post(MODELS, {"name": "Shapes", "file": file, **fields})


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


def test_the_builtin_models_are_there_for_everybody_and_made_once(account: Account) -> None:
    before = set(ModelVersion.objects.values_list("id", flat=True))

    ensure_builtins()
    answer = client_of(factories.make_member(account, "viewer")).get(MODELS)

    assert set(ModelVersion.objects.values_list("id", flat=True)) == before
    rows = {row["slug"]: row for row in answer.json()["results"]}
    assert set(rows) == {"faces", "motion", "people"}
    assert rows["people"]["account"] is None
    assert rows["people"]["versions"][0]["labels"] == ["person"]


def test_an_uploaded_detector_is_inspected_tried_and_kept(account: Account, folder: Path) -> None:
    content = tiny_bytes()

    answer = upload(admin_of(account), content, licence="MIT", origin="https://example.org")

    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert (row["name"], row["slug"], row["licence"], row["account"]) == (
        "Shapes",
        "shapes",
        "MIT",
        str(account.pk),
    )
    (version,) = row["versions"]
    digest = hashlib.sha256(content).hexdigest()
    assert (version["sha256"], version["labels"], version["input_size_wh"]) == (
        digest,
        ["red", "green"],
        [64, 64],
    )
    assert left_behind(folder) == [f"{digest}.onnx"]
    assert AuditEntry.objects.get(action="model.created").detail["sha256"] == digest
    assert Outbox.objects.filter(kind="model.created").count() == 1


def test_the_same_name_gets_a_new_version_and_the_same_file_none(account: Account) -> None:
    client = admin_of(account)
    upload(client, tiny_bytes())
    upload(client, tiny_bytes(batch="n"))

    row = upload(client, tiny_bytes()).json()

    assert [version["version"] for version in row["versions"]] == [2, 1]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", "invalid", "empty"),
        (b"PK\x03\x04 no model", "unsafe_model", "cannot be read"),
        (
            tiny_bytes(metadata={**METADATA, "task": "segment"}),
            "model_layout",
            "for segment, got output0 (1, 6, 49)",
        ),
        (tiny_bytes()[:-40], "", "cannot be"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_leaves_nothing(
    account: Account, folder: Path, content: bytes, code: str, words: str
) -> None:
    answer = upload(admin_of(account), content)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert list(error["fields"]) == ["file"]
    assert words in error["fields"]["file"][0]
    assert not code or error["code"] == code
    assert left_behind(folder) == []
    assert Model.objects.filter(account=account).count() == 0


def test_too_large_is_refused_by_the_stated_length_and_by_what_is_read(
    account: Account, folder: Path
) -> None:
    client = admin_of(account)
    with patch.object(files, "MAX_MODEL_BYTES", 100):
        with patch("apps.catalog.api.views._FORM_BYTES", 10):
            stated = upload(client, tiny_bytes())
        read = upload(client, tiny_bytes())

    assert (stated.status_code, read.status_code) == (413, 413)
    assert left_behind(folder) == []


def test_a_model_in_use_and_a_builtin_one_are_not_deleted(account: Account, folder: Path) -> None:
    client = admin_of(account)
    row = upload(client, tiny_bytes()).json()
    analytic = make_analytic(make_stream(account))
    analytic.model_version_id = row["versions"][0]["id"]
    analytic.save()

    in_use = client.delete(f"{MODELS}{row['id']}/")
    analytic.delete()
    builtin = client_of_superuser().delete(f"{MODELS}{Model.objects.get(slug='people').pk}/")

    assert (in_use.status_code, builtin.status_code) == (409, 409)
    assert (
        in_use.json()["error"]["detail"] == {"analytics": [str(analytic.pk)]}
        or in_use.json()["error"]["detail"]
    )
    assert Model.objects.filter(pk=row["id"]).exists()
    assert len(left_behind(folder)) == 1


def client_of_superuser() -> Client:
    client = Client()
    client.force_login(factories.make_superuser())
    return client


def test_deleting_takes_the_file_along(
    account: Account, folder: Path, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client = admin_of(account)
    row = upload(client, tiny_bytes()).json()

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.delete(f"{MODELS}{row['id']}/")

    assert answer.status_code == 204
    assert left_behind(folder) == []


def test_only_administrators_change_and_foreign_models_do_not_exist(account: Account) -> None:
    row = upload(admin_of(account), tiny_bytes()).json()
    address = f"{MODELS}{row['id']}/"
    operator = client_of(factories.make_member(account, "operator"))
    foreign = admin_of(factories.make_account("Foreign"))

    assert upload(operator, tiny_bytes()).status_code == 403
    assert operator.get(address).status_code == 200
    assert operator.delete(address).status_code == 403
    assert foreign.get(address).status_code == 404
    assert foreign.delete(address).status_code == 404
    assert foreign.get(MODELS).json()["count"] == 3
    assert Client().get(MODELS).status_code == 401
    renamed = admin_of(account).patch(address, {"name": "Squares"}, content_type="application/json")
    assert renamed.json()["name"] == "Squares"


def test_the_command_line_imports_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "my shapes.onnx"
    path.write_bytes(tiny_bytes())
    output = StringIO()

    call_command("model", "import", str(path), stdout=output)

    assert output.getvalue() == "my shapes version 1: 2 labels\n"
    assert Model.objects.get(slug="my-shapes").account_id is None


def test_the_command_line_says_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"junk")

    with pytest.raises(CommandError, match="cannot be read"):
        call_command("model", "import", str(tmp_path / "bad.onnx"))
    with pytest.raises(CommandError, match="There is no file"):
        call_command("model", "import", str(tmp_path / "absent.onnx"))
