"""The pages of models: what they show, what they take, what they refuse, and to whom."""

import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Role
from apps.catalog.builtins import builtin_version
from apps.catalog.models import Model, ModelConversion, ModelUpload, ModelVersion, Training
from apps.core.models import Task, TaskState
from apps.inference.models import Analytic
from tests.apps.system.pages.conftest import NOW, PageHouse
from tests.engine.detect.tiny_onnx import tiny_bytes

Login = Callable[..., Client]


@pytest.fixture(autouse=True)
def _folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.OMMA_DATA_DIR = tmp_path


@pytest.fixture
def version(house: PageHouse) -> ModelVersion:
    model = Model.objects.create(account=house.account, slug="shapes", name="Shapes", licence="MIT")
    return ModelVersion.objects.create(
        model=model, runtime="onnx", file="x.onnx", sha256="ab" * 32, labels=["disc", "box"],
        input_size_wh=[64, 64], size_bytes=1000,
    )  # fmt: skip


def attached(house: PageHouse, version: ModelVersion) -> Analytic:
    stream = house.door.stream
    return Analytic.objects.create(
        account=house.account, camera=house.door.camera, stream=stream, number=0, name="Shapes",
        model_version=version,
    )  # fmt: skip


def sent_model(content: bytes, **fields: Any) -> dict[str, Any]:
    return {"name": "Tiny", "file": SimpleUploadedFile("tiny.onnx", content), **fields}


def test_the_list_shows_own_models_and_the_built_in_ones(
    house: PageHouse, log_in: Login, version: ModelVersion
) -> None:
    builtin_version("people")
    attached(house, version)

    text = log_in(Role.VIEWER).get(reverse("pages:models")).content.decode()

    assert text.index("Shapes") < text.index("People")
    assert "disc, box" in text
    assert "At work on Door" in text
    assert "Upload a model" not in text


def test_a_viewer_of_no_camera_is_not_told_where_a_model_works(
    house: PageHouse, log_in: Login, version: ModelVersion
) -> None:
    attached(house, version)
    browser = log_in(Role.ADMIN, sees=[house.garden.camera])

    for path in (reverse("pages:models"), reverse("pages:model", args=[version.model_id])):
        assert "Door" not in browser.get(path).content.decode()


def test_a_model_goes_up_in_one_form_where_there_are_no_scripts(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)

    answer = browser.post(reverse("pages:model-add"), sent_model(tiny_bytes(), licence="MIT"), follow=True)

    text = answer.content.decode()
    made = ModelVersion.objects.get(model__name="Tiny")
    assert answer.redirect_chain == [(reverse("pages:model", args=[made.model_id]), 302)]
    assert made.sha256 in text
    assert "MIT" in text


def test_a_file_that_is_no_model_says_why_at_the_field(house: PageHouse, log_in: Login) -> None:
    answer = log_in(Role.ADMIN).post(reverse("pages:model-add"), sent_model(b"nonsense"))

    assert answer.status_code == 422
    assert "This model cannot be used: " in answer.context["form"].errors["file"][0]
    assert not Model.objects.exists()


def test_a_version_is_put_on_a_camera_and_taken_off(
    house: PageHouse, log_in: Login, version: ModelVersion
) -> None:
    browser = log_in(Role.ADMIN)
    path = reverse("pages:version-attach", args=[version.pk])
    wrong = browser.post(
        path, {"stream": house.door.stream.pk, "labels": ["cat"], "min_confidence": "2", "rate_fps": 5}
    )
    right = {"stream": house.door.stream.pk, "labels": ["disc"], "min_confidence": "0.5", "rate_fps": "3"}

    answer = browser.post(path, right)

    made = Analytic.objects.get(model_version=version)
    assert wrong.status_code == 422
    assert set(wrong.context["refused_form"].errors) == {"labels", "min_confidence"}
    assert answer["Location"] == reverse("pages:camera", args=[house.door.camera.pk])
    assert (made.labels, made.min_confidence, made.rate_fps) == (["disc"], 0.5, 3.0)
    browser.post(reverse("pages:analytic-delete", args=[made.pk]))
    assert not Analytic.objects.exists()


def test_a_model_at_work_is_kept_and_says_where(
    house: PageHouse, log_in: Login, version: ModelVersion
) -> None:
    attached(house, version)
    browser = log_in(Role.ADMIN)
    path = reverse("pages:model-delete", args=[version.model_id])

    unnamed = browser.post(path, {"name": "Shape"})
    used = browser.post(path, {"name": "Shapes"})

    assert unnamed.status_code == used.status_code == 422
    assert unnamed.context["delete_error"] == "This is not the model's name; nothing was deleted."
    assert used.context["delete_error"] == "It is at work on Door; take it off there first."
    assert Model.objects.filter(pk=version.model_id).exists()
    Analytic.objects.all().delete()
    assert browser.post(path, {"name": "Shapes"})["Location"] == reverse("pages:models")
    assert not Model.objects.filter(pk=version.model_id).exists()


def test_default_parameters_are_set_and_left_to_the_model(
    house: PageHouse, log_in: Login, version: ModelVersion
) -> None:
    browser = log_in(Role.ADMIN)
    path = reverse("pages:version-parameters", args=[version.pk])

    refused = browser.post(path, {"overlap": "-1"})
    browser.post(path, {"overlap": "0.6", "score_floor": ""})
    version.refresh_from_db()

    assert refused.status_code == 422
    assert version.parameters == {"overlap": 0.6}


def test_conversions_show_their_progress_and_their_end(
    house: PageHouse, log_in: Login, version: ModelVersion
) -> None:
    browser = log_in(Role.ADMIN)
    page = reverse("pages:model", args=[version.model_id])

    unknown = browser.post(reverse("pages:version-convert", args=[version.pk]), {"target": "x"}, follow=True)
    browser.post(reverse("pages:version-convert", args=[version.pk]), {"target": "fp16"})
    task = Task.objects.get(kind="model.convert")
    Task.objects.filter(pk=task.pk).update(state=TaskState.RUNNING, progress=0.3)
    running = browser.get(page).content.decode()
    Task.objects.filter(pk=task.pk).update(state=TaskState.FAILED, error="it was too much")
    failed = browser.get(page).content.decode()

    assert "There is no target" in unknown.content.decode() or "fp16" in unknown.content.decode()
    assert "30 %" in running
    assert "It was too much" in failed
    browser.post(reverse("pages:conversion-delete", args=[ModelConversion.objects.get().pk]))
    assert not ModelConversion.objects.exists()


def test_a_dataset_in_one_form_begins_a_training(
    house: PageHouse, log_in: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omma_engine.workshop.training.missing", lambda: "")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("data.yaml", "names: [disc]")
    file = SimpleUploadedFile("set.zip", packed.getvalue())
    fields = {"name": "Discs", "architecture": "tiny", "epochs": 3, "picture_px": 64, "batch": 4}
    browser = log_in(Role.ADMIN)

    answer = browser.post(reverse("pages:model-train"), {**fields, "file": file}, follow=True)

    made = Training.objects.get()
    assert made.dataset_sha256 == hashlib.sha256(packed.getvalue()).hexdigest()
    assert made.options["epochs"] == 3
    assert "Discs" in answer.content.decode()
    browser.post(reverse("pages:training-delete", args=[made.pk]))
    assert not Training.objects.exists()


def test_without_the_extra_the_training_page_says_what_to_install(
    house: PageHouse, log_in: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("omma_engine.workshop.training.missing", lambda: "Ultralytics is not installed here")

    text = log_in(Role.ADMIN).get(reverse("pages:model-train")).content.decode()

    assert "Training is not installed" in text
    assert '<input type="file"' not in text


def test_an_upload_that_was_left_is_shown_and_thrown_away(house: PageHouse, log_in: Login) -> None:
    upload = ModelUpload.objects.create(
        account=house.account,
        name="Big one",
        size_bytes=100,
        received_bytes=40,
        sha256="0" * 64,
        expires_at=NOW,
    )
    browser = log_in(Role.ADMIN)

    text = browser.get(reverse("pages:models")).content.decode()

    assert "Big one" in text
    assert "40 %" in text
    assert "Big one" not in log_in(Role.VIEWER).get(reverse("pages:models")).content.decode()
    browser.post(reverse("pages:upload-delete", args=[upload.pk]))
    assert not ModelUpload.objects.exists()


def test_a_viewer_may_change_nothing(house: PageHouse, log_in: Login, version: ModelVersion) -> None:
    conversion = ModelConversion.objects.create(account=house.account, version=version, target="fp16")
    training = Training.objects.create(
        account=house.account, name="T", architecture="tiny", dataset_sha256="0"
    )
    analytic = attached(house, version)
    browser = log_in(Role.VIEWER)
    paths = {
        **{
            name: reverse(f"pages:{name}", args=[version.model_id]) for name in ("model-edit", "model-delete")
        },
        **{
            name: reverse(f"pages:{name}", args=[version.pk])
            for name in ("version-parameters", "version-attach", "version-convert", "version-delete")
        },
        "conversion-delete": reverse("pages:conversion-delete", args=[conversion.pk]),
        "training-delete": reverse("pages:training-delete", args=[training.pk]),
        "analytic-delete": reverse("pages:analytic-delete", args=[analytic.pk]),
        "model-add": reverse("pages:model-add"),
        "model-train": reverse("pages:model-train"),
    }

    codes = {name: browser.post(path).status_code for name, path in paths.items()}
    page = browser.get(reverse("pages:model", args=[version.model_id])).content.decode()

    assert set(codes.values()) == {403}, codes
    assert page.count("<form") == 2  # the two ways to log out
    assert Model.objects.count() == Analytic.objects.count() == 1
