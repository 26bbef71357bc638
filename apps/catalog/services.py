"""What is done to models: import, change and delete."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import Max, ProtectedError
from django.utils.text import slugify

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.catalog import files
from apps.catalog.builtins import builtin_version, ensure_builtins
from apps.catalog.models import Model, ModelTask, ModelVersion, Runtime
from apps.core import audit, outbox
from apps.core.exceptions import ConflictError, InvalidInputError
from omma_engine.detect.canary import ModelReport, check_model
from omma_engine.errors import DetectorError

__all__ = [
    "NewModel", "adopt_model", "builtin_version", "delete_model", "ensure_builtins", "import_model",
    "model_resource", "update_model", "verify_version",
]  # fmt: skip

CHECK_TIMEOUT_S = 60.0
_TASKS = {
    "detect": ModelTask.DETECTION,
    "classify": ModelTask.CLASSIFICATION,
    "segment": ModelTask.SEGMENTATION,
    "pose": ModelTask.POSE,
    "obb": ModelTask.ORIENTED,
}


@dataclass(frozen=True, slots=True)
class NewModel:
    """What is said about a file that is imported. `account_id` None makes it everybody's."""

    name: str
    account_id: UUID | None = None
    licence: str = ""
    origin: str = ""
    author: str = ""
    labels: Sequence[str] = ()
    facts: Mapping[str, object] = field(default_factory=dict)


def import_model(*, actor: Actor, wanted: NewModel, chunks: Iterable[bytes]) -> ModelVersion:
    """Take an ONNX file: receive, inspect and try it in a child, and only then make it a model.

    A name that the account has already gets a new version; analytics stay on theirs. Raises
    `InvalidInputError` on `file` with what is wrong with it, and leaves nothing behind then.
    """
    require_model_rights(actor, wanted.account_id)
    slug_of(wanted.name)
    received = files.receive(chunks)
    try:
        return adopt_model(actor=actor, wanted=wanted, received=received)
    finally:
        files.discard(received)


def adopt_model(*, actor: Actor, wanted: NewModel, received: files.ReceivedFile) -> ModelVersion:
    """Make a file that has arrived a version of a model, after it was inspected and tried."""
    require_model_rights(actor, wanted.account_id)
    slug = slug_of(wanted.name)
    try:
        report = check_model(received.path, labels=wanted.labels, timeout_s=CHECK_TIMEOUT_S)
    except DetectorError as exc:
        raise InvalidInputError(f"This model cannot be used: {exc}.", code=exc.code, field="file") from exc
    return _store(actor, wanted, slug, received, report)


def verify_version(version: ModelVersion) -> None:
    """Make sure that a version can be run now, before something is switched to it."""
    if version.runtime != Runtime.ONNX:
        return
    if files.measured(files.path_of(version.file)).sha256 != version.sha256:
        raise InvalidInputError(
            "This version's file is not the one that was imported.", field="model_version"
        )
    try:
        check_model(files.path_of(version.file), labels=version.labels, timeout_s=CHECK_TIMEOUT_S)
    except DetectorError as exc:
        raise InvalidInputError(
            f"This version cannot be used: {exc}.", code=exc.code, field="model_version"
        ) from exc


def require_model_rights(actor: Actor, account_id: UUID | None) -> None:
    require(actor, Action.MANAGE_MODELS, Resource(account_id, shows_cameras=False))


def slug_of(name: str) -> str:
    """Return what a model's name becomes in addresses and files."""
    slug = slugify(name)[:64]
    if not slug:
        raise InvalidInputError("Give the model a name with letters or digits.", field="name")
    return slug


@transaction.atomic
def update_model(
    *,
    actor: Actor,
    model: Model,
    name: str | None = None,
    description: str | None = None,
    licence: str | None = None,
    author: str | None = None,
) -> Model:
    """Change what is said about a model."""
    require(actor, Action.MANAGE_MODELS, model_resource(model))
    if name is not None:
        if not name.strip():
            raise InvalidInputError("A model needs a name.", field="name")
        model.name = name.strip()
    if description is not None:
        model.description = description
    model.licence = model.licence if licence is None else licence
    model.author = model.author if author is None else author
    model.save(update_fields=["name", "description", "licence", "author", "updated_at"])
    tell(actor, model, "updated")
    return model


@transaction.atomic
def delete_model(*, actor: Actor, model: Model) -> None:
    """Delete a model with its versions and files; refused for built-ins and while an analytic uses it."""
    require(actor, Action.MANAGE_MODELS, model_resource(model))
    versions = list(ModelVersion.objects.select_for_update().filter(model=model).order_by("id"))
    if any(version.builtin for version in versions):
        raise ConflictError("A built-in model cannot be deleted.")
    names = {version.file for version in versions if version.file}
    tell(actor, model, "deleted")
    try:
        model.delete()
    except ProtectedError as exc:
        raise ConflictError(
            "The model is in use; delete or change its analytics first.",
            detail={"analytics": [str(row.pk) for row in exc.protected_objects][:20]},
        ) from exc
    transaction.on_commit(lambda: remove_unused(names))


@transaction.atomic
def _store(
    actor: Actor, wanted: NewModel, slug: str, received: files.ReceivedFile, report: ModelReport
) -> ModelVersion:
    account = Account.objects.get(pk=wanted.account_id) if wanted.account_id else None
    model, is_new = Model.objects.get_or_create(
        account=account,
        slug=slug,
        defaults={
            "name": wanted.name,
            "licence": wanted.licence or report.licence,
            "origin": wanted.origin,
            "author": wanted.author or report.author,
            "task": _TASKS[report.task],
            "description": report.description,
        },
    )
    Model.objects.select_for_update().get(id=model.id)
    versions = ModelVersion.objects.filter(model=model)
    if versions.exclude(builtin="").exists():
        raise ConflictError("A built-in model has this name.", field="name")
    if model.task != _TASKS[report.task]:
        raise ConflictError(
            f"This name is a model for {model.get_task_display().lower()}, and the file does "
            f"{ModelTask(_TASKS[report.task]).label.lower()}.",
            field="name",
        )
    known = versions.filter(sha256=received.sha256).first()
    if known is not None:
        return known
    version = ModelVersion.objects.create(
        model=model,
        version=(versions.aggregate(last=Max("version"))["last"] or 0) + 1,
        runtime=Runtime.ONNX,
        file=files.keep(received),
        sha256=received.sha256,
        size_bytes=received.size_bytes,
        labels=report.labels,
        input_size_wh=report.input_size_wh,
        facts=_shown_facts(report) | dict(wanted.facts),
    )
    tell(actor, model, "created" if is_new else "updated", _facts(version, report))
    return version


def _shown_facts(report: ModelReport) -> dict[str, object]:
    return {
        "head": report.head,
        "nodes": report.nodes,
        "opset": report.opset,
        "producer": report.producer,
        "max_batch": report.max_batch,
        "run_ms": report.run_ms,
    }


def _facts(version: ModelVersion, report: ModelReport) -> dict[str, object]:
    return {
        "version": version.version,
        "sha256": version.sha256,
        "size_bytes": version.size_bytes,
        "nodes": report.nodes,
        "opset": report.opset,
        "run_ms": report.run_ms,
    }


def remove_unused(names: set[str]) -> None:
    """Delete files that no version names any more."""
    used = set(ModelVersion.objects.filter(file__in=names).values_list("file", flat=True))
    for name in names - used:
        files.remove(name)


def tell(actor: Actor, model: Model, what: str, detail: dict[str, object] | None = None) -> None:
    """Write what was done to a model into the audit, and tell whoever listens."""
    audit.record(
        actor.ref(),
        f"model.{what}",
        subject_kind="model",
        subject_id=model.id,
        subject_name=model.name,
        account_id=model.account_id,
        detail=detail,
    )
    outbox.publish(f"model.{what}", subject_kind="model", subject_id=model.id, account_id=model.account_id)


def model_resource(model: Model) -> Resource:
    """Return what a model is to the access decision."""
    return Resource(model.account_id, shows_cameras=False)
