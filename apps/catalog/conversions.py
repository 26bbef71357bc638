"""Models in other formats: ask for one, look, fetch, delete."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.catalog import files, services, workshop
from apps.catalog.models import ModelConversion, ModelVersion
from apps.core import audit, jobs
from apps.core.exceptions import ConflictError, InvalidInputError
from apps.core.models import Task, TaskState
from omma_engine.errors import DetectorError
from omma_engine.workshop.converters import converter_for, converters

JOB_KIND = "model.convert"
MAX_UNFINISHED = 5


@dataclass(frozen=True, slots=True)
class Target:
    """A format that a model can be brought into. `missing` says what must be installed first."""

    name: str
    title: str
    source_runtime: str
    missing: str


def targets() -> list[Target]:
    """Return every target, installed or not."""
    return [
        Target(name, one.title, one.source_runtime, one.missing())
        for name, one in sorted(converters().items())
    ]


@transaction.atomic
def begin_conversion(
    *, actor: Actor, account: Account, version: ModelVersion, target: str
) -> ModelConversion:
    """Have a version converted; the same one to the same target is made once."""
    services.require_model_rights(actor, account.pk)
    _check_version(actor, version, account)
    try:
        converter = converter_for(target)
    except DetectorError as exc:
        raise InvalidInputError(f"{exc}.", code="target_unavailable", field="target") from exc
    if converter.source_runtime != version.runtime:
        raise InvalidInputError(
            f"This target is made from {converter.source_runtime} models, and this is {version.runtime}.",
            field="target",
        )
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    mine = ModelConversion.objects.filter(account=account).select_related("task")
    known = mine.filter(version=version, target=target).exclude(task__state=TaskState.FAILED).first()
    if known is not None:
        return known
    if mine.filter(task__state__in=[TaskState.PENDING, TaskState.RUNNING]).count() >= MAX_UNFINISHED:
        raise ConflictError(f"{MAX_UNFINISHED} conversions are going on.", code="too_many_conversions")
    files.check_room(2 * version.size_bytes)
    conversion = ModelConversion.objects.create(
        account=account, version=version, target=target, created_by=actor.user_id
    )
    conversion.task = jobs.enqueue(
        JOB_KIND,
        f"{JOB_KIND}:{conversion.pk}",
        {"conversion_id": str(conversion.pk), "target": target},
        account_id=account.pk,
        created_by=actor.user_id,
    )
    conversion.save(update_fields=["task", "updated_at"])
    _record(actor, "created", conversion)
    return conversion


@transaction.atomic
def delete_conversion(*, actor: Actor, conversion: ModelConversion) -> None:
    """Delete a conversion with its file; one that is being made ends."""
    services.require_model_rights(actor, conversion.account_id)
    if conversion.task is not None:
        cancel_work(conversion.task)
    _record(actor, "deleted", conversion)
    name = conversion.file
    conversion.delete()
    transaction.on_commit(lambda: _remove(name))


def run_conversion(task: Task) -> dict[str, Any]:
    """Take a turn at a conversion; the queue calls it until it is done."""
    conversion = ModelConversion.objects.filter(pk=task.parameters["conversion_id"]).first()
    if conversion is None:
        workshop.discard(task.id)
        return {}
    version = conversion.version
    job = {"kind": "convert", "source": str(files.path_of(version.file)), "target": conversion.target}
    try:
        made = workshop.take_turn(task, job)
    except InvalidInputError:
        workshop.discard(task.id)
        raise
    received = files.measured(made)
    name = f"conversions/{conversion.pk}{made.suffix}"
    files.path_of(name).parent.mkdir(parents=True, exist_ok=True)
    made.replace(files.path_of(name))
    conversion.file, conversion.sha256, conversion.size_bytes = name, received.sha256, received.size_bytes
    conversion.save(update_fields=["file", "sha256", "size_bytes", "updated_at"])
    workshop.discard(task.id)
    return {"sha256": received.sha256, "size_bytes": received.size_bytes}


def cancel_work(task: Task) -> None:
    """Cancel a job, waiting or at work; its next look ends the child."""
    if not jobs.cancel(task):
        Task.objects.filter(pk=task.pk, state=TaskState.RUNNING).update(state=TaskState.CANCELLED)
    transaction.on_commit(lambda: workshop.discard(task.pk))


def resource_of(conversion: ModelConversion) -> Resource:
    return Resource(conversion.account_id, shows_cameras=False)


def _check_version(actor: Actor, version: ModelVersion, account: Account) -> None:
    owner = version.model.account_id
    if owner not in (None, account.pk) or not version.file:
        raise InvalidInputError("There is no such version with a file.", field="version")
    require(actor, Action.VIEW, Resource(owner, shows_cameras=False))


def _remove(name: str) -> None:
    if name:
        files.remove(name)


def _record(actor: Actor, what: str, conversion: ModelConversion) -> None:
    audit.record(
        actor.ref(), f"conversion.{what}", subject_kind="conversion", subject_id=conversion.pk,
        subject_name=str(conversion)[:120], account_id=conversion.account_id,
        detail={"target": conversion.target, "version": str(conversion.version_id)},
    )  # fmt: skip
