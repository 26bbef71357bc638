"""What is done to models: import, change and delete."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max, ProtectedError
from django.utils.text import slugify

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.catalog import files
from apps.catalog.builtins import builtin_version, ensure_builtins
from apps.catalog.models import Model, ModelVersion, Runtime
from apps.core import audit, outbox
from apps.core.exceptions import ConflictError, InvalidInputError
from omma_engine.detect.canary import ModelReport, check_model
from omma_engine.errors import DetectorError

__all__ = ["NewModel", "builtin_version", "delete_model", "ensure_builtins", "import_model", "update_model"]

CHECK_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class NewModel:
    """What is said about a file that is imported. `account_id` None makes it everybody's."""

    name: str
    account_id: UUID | None = None
    licence: str = ""
    origin: str = ""


def import_model(*, actor: Actor, wanted: NewModel, chunks: Iterable[bytes]) -> ModelVersion:
    """Take an ONNX file: receive, inspect and try it in a child, and only then make it a model.

    A name that the account has already gets a new version; analytics stay on theirs. Raises
    `InvalidInputError` on `file` with what is wrong with it, and leaves nothing behind then.
    """
    require(actor, Action.MANAGE_MODELS, Resource(wanted.account_id, shows_cameras=False))
    slug = slugify(wanted.name)[:64]
    if not slug:
        raise InvalidInputError("Give the model a name with letters or digits.", field="name")
    received = files.receive(chunks)
    try:
        report = check_model(received.path, timeout_s=CHECK_TIMEOUT_S)
        return _store(actor, wanted, slug, received, report)
    except DetectorError as exc:
        raise InvalidInputError(f"This model cannot be used: {exc}.", code=exc.code, field="file") from exc
    finally:
        files.discard(received)


@transaction.atomic
def update_model(
    *, actor: Actor, model: Model, name: str | None = None, description: str | None = None
) -> Model:
    """Change what is said about a model."""
    require(actor, Action.MANAGE_MODELS, _resource(model))
    if name is not None:
        if not name.strip():
            raise InvalidInputError("A model needs a name.", field="name")
        model.name = name.strip()
    if description is not None:
        model.description = description
    model.save(update_fields=["name", "description", "updated_at"])
    _tell(actor, model, "updated")
    return model


@transaction.atomic
def delete_model(*, actor: Actor, model: Model) -> None:
    """Delete a model with its versions and files; refused for built-ins and while an analytic uses it."""
    require(actor, Action.MANAGE_MODELS, _resource(model))
    versions = list(ModelVersion.objects.select_for_update().filter(model=model).order_by("id"))
    if any(version.builtin for version in versions):
        raise ConflictError("A built-in model cannot be deleted.")
    names = {version.file for version in versions if version.file}
    _tell(actor, model, "deleted")
    try:
        model.delete()
    except ProtectedError as exc:
        raise ConflictError(
            "The model is in use; delete or change its analytics first.",
            detail={"analytics": [str(row.pk) for row in exc.protected_objects][:20]},
        ) from exc
    transaction.on_commit(lambda: _remove_unused(names))


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
            "description": report.description,
        },
    )
    Model.objects.select_for_update().get(id=model.id)
    versions = ModelVersion.objects.filter(model=model)
    if versions.exclude(builtin="").exists():
        raise ConflictError("A built-in model has this name.", field="name")
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
    )
    _tell(actor, model, "created" if is_new else "updated", _facts(version, report))
    return version


def _facts(version: ModelVersion, report: ModelReport) -> dict[str, object]:
    return {
        "version": version.version,
        "sha256": version.sha256,
        "size_bytes": version.size_bytes,
        "nodes": report.nodes,
        "opset": report.opset,
        "run_ms": report.run_ms,
    }


def _remove_unused(names: set[str]) -> None:
    used = set(ModelVersion.objects.filter(file__in=names).values_list("file", flat=True))
    for name in names - used:
        files.remove(name)


def _tell(actor: Actor, model: Model, what: str, detail: dict[str, object] | None = None) -> None:
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


def _resource(model: Model) -> Resource:
    return Resource(model.account_id, shows_cameras=False)
