"""Training on an uploaded dataset: what it gives is a version of a model."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from apps.accounts.access import Actor, system_actor
from apps.accounts.models import Account
from apps.catalog import files, services, uploads, workshop
from apps.catalog.conversions import cancel_work
from apps.catalog.models import ModelUpload, Training, UploadKind
from apps.core import audit, jobs
from apps.core.exceptions import ConflictError, InvalidInputError
from apps.core.models import Task, TaskState
from omma_engine.workshop import training as engine

JOB_KIND = "model.train"
MAX_UNFINISHED = 1


@dataclass(frozen=True, slots=True)
class NewTraining:
    """A dataset that has come whole, and what to make of it."""

    upload: ModelUpload
    name: str
    architecture: str = "yolov8n"
    epochs: int = 50
    picture_px: int = 320
    batch: int = 8
    seed: int = 0


def begin_training(*, actor: Actor, wanted: NewTraining) -> Training:
    """Take the dataset and have a model trained; needs the extra `[yolo]`, and says so where it is absent."""
    services.require_model_rights(actor, wanted.upload.account_id)
    services.slug_of(wanted.name)
    missing = engine.missing()
    if missing:
        raise ConflictError(f"{missing}.", code="extra_missing")
    if wanted.upload.kind != UploadKind.DATASET:
        raise InvalidInputError("This upload is a model; begin one of the kind dataset.", field="upload")
    if not engine.ARCHITECTURE.fullmatch(wanted.architecture):
        raise InvalidInputError(
            "Expected tiny, or yolov8, yolo11 or yolo26 with n, s or m.", field="architecture"
        )
    return _store(actor, wanted, uploads.whole_file(wanted.upload))


@transaction.atomic
def _store(actor: Actor, wanted: NewTraining, received: files.ReceivedFile) -> Training:
    account = Account.objects.select_for_update(no_key=True).get(pk=wanted.upload.account_id)
    going_on = Training.objects.filter(
        account=account, task__state__in=[TaskState.PENDING, TaskState.RUNNING]
    )
    if going_on.count() >= MAX_UNFINISHED:
        raise ConflictError("A training is going on already.", code="too_many_trainings")
    options = {
        "architecture": wanted.architecture, "epochs": wanted.epochs, "picture_px": wanted.picture_px,
        "batch": wanted.batch, "seed": wanted.seed,
    }  # fmt: skip
    training = Training.objects.create(
        account=account, name=wanted.name, architecture=wanted.architecture, options=options,
        dataset_sha256=received.sha256, dataset_file="", created_by=actor.user_id,
    )  # fmt: skip
    name = f"datasets/{training.pk}.zip"
    files.path_of(name).parent.mkdir(parents=True, exist_ok=True)
    received.path.replace(files.path_of(name))
    uploads.forget(wanted.upload)
    training.dataset_file = name
    training.task = jobs.enqueue(
        JOB_KIND,
        f"{JOB_KIND}:{training.pk}",
        {"training_id": str(training.pk), **options},
        account_id=account.pk,
        created_by=actor.user_id,
    )
    training.save(update_fields=["dataset_file", "task", "updated_at"])
    _record(actor, "created", training)
    return training


@transaction.atomic
def delete_training(*, actor: Actor, training: Training) -> None:
    """Delete a training and its dataset; one that goes on ends. The model it gave stays."""
    services.require_model_rights(actor, training.account_id)
    if training.task is not None:
        cancel_work(training.task)
    _record(actor, "deleted", training)
    name = training.dataset_file
    training.delete()
    transaction.on_commit(lambda: files.remove(name))


def run_training(task: Task) -> dict[str, Any]:
    """Take a turn at a training; the queue calls it until it is done."""
    training = Training.objects.filter(pk=task.parameters["training_id"]).first()
    if training is None:
        workshop.discard(task.id)
        return {}
    job = {"kind": "train", "source": str(files.path_of(training.dataset_file)), "options": training.options}
    try:
        made = workshop.take_turn(task, job)
        version = services.adopt_model(
            actor=system_actor(),
            wanted=services.NewModel(
                name=training.name,
                account_id=training.account_id,
                origin=f"trained here on {training.dataset_sha256[:16]}",
                facts={"training": str(training.pk), **training.options},
            ),
            received=files.measured(made),
        )
    except InvalidInputError:
        workshop.discard(task.id)
        raise
    Training.objects.filter(pk=training.pk).update(version=version)
    workshop.discard(task.id)
    return {"version": str(version.pk)}


def _record(actor: Actor, what: str, training: Training) -> None:
    audit.record(
        actor.ref(), f"training.{what}", subject_kind="training", subject_id=training.pk,
        subject_name=training.name, account_id=training.account_id, detail=dict(training.options),
    )  # fmt: skip
