"""What people do with exports: ask for one, and delete it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.core import audit, jobs, outbox
from apps.core.exceptions import ConflictError, InvalidInputError
from apps.recordings.exports.places import remove_files
from apps.recordings.footage import segments_between
from apps.recordings.models import Export, ExportState
from apps.streams.models import Stream

JOB_KIND = "export"
MAX_STREAMS = 16
MAX_RANGE = timedelta(hours=24)
MAX_BYTES = 16 << 30
MAX_UNFINISHED = 5
MAX_NAME_LENGTH = 200


@transaction.atomic
def create_export(
    *,
    actor: Actor,
    streams: Sequence[Stream],
    start: datetime,
    end: datetime,
    name: str = "",
    now: datetime | None = None,
) -> Export:
    """Have a zip made of what these streams recorded in `[start, end)`; needs the right on all of them."""
    account = _account_of(streams)
    require(actor, Action.PLAYBACK, Resource(account.pk, frozenset(one.camera_id for one in streams)))
    check_name(name)
    _check_range(start, end, now or timezone.now())
    _check_footage(streams, start, end)
    export = Export(
        account=account,
        camera_ids=sorted({str(one.camera_id) for one in streams}),
        stream_ids=[str(one.pk) for one in streams],
        name=name,
        start=start,
        end=end,
    )
    begin(actor, export, JOB_KIND)
    return export


def begin(actor: Actor, export: Export, job_kind: str) -> None:
    """Save a new export and have its job made, unless the account has too many; in a transaction."""
    Account.objects.select_for_update(no_key=True).get(pk=export.account_id)
    unfinished = Export.objects.filter(
        account_id=export.account_id, state__in=[ExportState.PENDING, ExportState.RUNNING]
    )
    if unfinished.count() >= MAX_UNFINISHED:
        raise ConflictError(f"{MAX_UNFINISHED} exports are being made already.", code="too_many_exports")
    export.created_by, export.created_by_name = actor.user_id, actor.name[:200]
    export.save()
    export.task = jobs.enqueue(
        job_kind,
        f"{job_kind}:{export.pk}",
        {"export_id": str(export.pk)},
        account_id=export.account_id,
        created_by=actor.user_id,
    )
    export.save(update_fields=["task", "updated_at"])
    _record(actor, "create", export)
    announce(export, "created")


@transaction.atomic
def delete_export(*, actor: Actor, export: Export) -> None:
    """Delete an export and its file; one's own, or with the right to record anybody's."""
    is_own = export.created_by is not None and export.created_by == actor.user_id
    require(actor, Action.PLAYBACK if is_own else Action.RECORD, resource_of_export(export))
    if export.task is not None:
        jobs.cancel(export.task)
    _record(actor, "delete", export)
    announce(export, "deleted")
    Export.objects.filter(pk=export.pk).delete()
    transaction.on_commit(lambda: remove_files(export.pk))


def resource_of_export(export: Export) -> Resource:
    """Return what an export shows: all of its cameras."""
    return Resource(export.account_id, frozenset(camera_ids_of(export)))


def camera_ids_of(export: Export) -> list[UUID]:
    return [UUID(one) for one in export.camera_ids]


def announce(export: Export, what: str) -> None:
    """Say that an export was created, updated or deleted, in the transaction that does it."""
    outbox.publish(
        f"export.{what}",
        subject_kind="export",
        subject_id=export.pk,
        account_id=export.account_id,
        camera_ids=camera_ids_of(export),
        payload={"state": export.state},
    )


def _account_of(streams: Sequence[Stream]) -> Account:
    if not 1 <= len(streams) <= MAX_STREAMS:
        raise InvalidInputError(f"Expected 1 to {MAX_STREAMS} streams.", field="streams")
    accounts = {one.account_id: one.account for one in streams}
    if len(accounts) > 1:
        raise InvalidInputError("An export is of one account's streams.", field="streams")
    return next(iter(accounts.values()))


def check_name(name: str) -> None:
    """Refuse a name that is too long, or that no column holds."""
    if len(name) > MAX_NAME_LENGTH or "\0" in name:
        raise InvalidInputError(f"Expected {MAX_NAME_LENGTH} characters at most.", field="name")


def _check_range(start: datetime, end: datetime, now: datetime) -> None:
    if end <= start:
        raise InvalidInputError("The end must be after the start.", field="end")
    if end - start > MAX_RANGE:
        raise InvalidInputError("An export can be 24 hours long at most.", field="end")
    if end > now:
        raise InvalidInputError("The end must not be in the future.", field="end")


def _check_footage(streams: Sequence[Stream], start: datetime, end: datetime) -> None:
    sizes = [
        segments_between(one.pk, start, end).order_by().aggregate(total=Sum("durable_bytes"))["total"]
        for one in streams
    ]
    total = sum(one for one in sizes if one is not None)
    if all(one is None for one in sizes):
        raise InvalidInputError("Nothing is recorded in this range.", field="start")
    if total > MAX_BYTES:
        needed, allowed = total / (1 << 30), MAX_BYTES >> 30
        raise InvalidInputError(
            f"This would be {needed:.0f} GB; an export can have {allowed} GB at most.", field="end"
        )


def _record(actor: Actor, verb: str, export: Export) -> None:
    audit.record(
        actor.ref(),
        f"export.{verb}",
        subject_kind="export",
        subject_id=export.pk,
        subject_name=str(export),
        account_id=export.account_id,
        detail={
            "streams": export.stream_ids,
            "start": export.start.isoformat(),
            "end": export.end.isoformat(),
        },
    )
