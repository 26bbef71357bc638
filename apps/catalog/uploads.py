"""Files of models and datasets that come in parts (`apps.core.parts`)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.access import Actor
from apps.accounts.models import Account
from apps.catalog import files, services
from apps.catalog.models import ModelUpload, ModelVersion, UploadKind
from apps.core import audit, parts
from apps.core.exceptions import ConflictError, InvalidInputError, PayloadTooLargeError
from apps.core.parts import check_part, check_whole, write_part
from omma_engine.detect.metadata import checked_labels
from omma_engine.errors import ModelLayoutError

MAX_PART_BYTES = parts.MAX_PART_BYTES
MAX_DATASET_BYTES = 4 << 30
MAX_UNFINISHED = 5
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What is said about a file before it comes."""

    account: Account
    name: str
    size_bytes: int
    sha256: str
    kind: UploadKind = UploadKind.MODEL
    licence: str = ""
    origin: str = ""
    author: str = ""
    labels: tuple[str, ...] = ()


@transaction.atomic
def begin_upload(*, actor: Actor, wanted: NewUpload) -> ModelUpload:
    """Make room for a file, or refuse it by what is said about it."""
    services.require_model_rights(actor, wanted.account.pk)
    services.slug_of(wanted.name)
    limit = files.MAX_MODEL_BYTES if wanted.kind == UploadKind.MODEL else MAX_DATASET_BYTES
    if wanted.size_bytes > limit:
        raise PayloadTooLargeError(f"Expected at most {limit >> 20} MB.", field="size_bytes")
    if wanted.size_bytes < 1:
        raise InvalidInputError("The file is empty.", field="size_bytes")
    try:
        checked_labels(wanted.labels)
    except ModelLayoutError as exc:
        raise InvalidInputError(f"{exc}.", field="labels") from exc
    files.check_room(wanted.size_bytes)
    Account.objects.select_for_update(no_key=True).get(pk=wanted.account.pk)
    if ModelUpload.objects.filter(account=wanted.account).count() >= MAX_UNFINISHED:
        raise ConflictError(f"{MAX_UNFINISHED} files are coming already.", code="too_many_uploads")
    return ModelUpload.objects.create(
        account=wanted.account, kind=wanted.kind, name=wanted.name, licence=wanted.licence,
        origin=wanted.origin, author=wanted.author, labels=list(wanted.labels),
        size_bytes=wanted.size_bytes, sha256=wanted.sha256.lower(), created_by=actor.user_id,
        expires_at=timezone.now() + KEPT_FOR,
    )  # fmt: skip


@transaction.atomic
def append_part(*, actor: Actor, upload: ModelUpload, offset: int, data: bytes) -> ModelUpload:
    """Add a part at `offset`, which is where the file ends; elsewhere it is refused, and where is said."""
    services.require_model_rights(actor, upload.account_id)
    locked = ModelUpload.objects.select_for_update().get(pk=upload.pk)
    check_part(offset=offset, data=data, received_bytes=locked.received_bytes, size_bytes=locked.size_bytes)
    write_part(path_of(locked.pk), offset, data)
    locked.received_bytes = offset + len(data)
    locked.expires_at = timezone.now() + KEPT_FOR
    locked.save(update_fields=["received_bytes", "expires_at", "updated_at"])
    return locked


def finish_upload(*, actor: Actor, upload: ModelUpload) -> ModelVersion:
    """Check the whole file and make it a model; the upload is over then, unless bytes are missing."""
    services.require_model_rights(actor, upload.account_id)
    if upload.kind != UploadKind.MODEL:
        raise ConflictError("This is a dataset: begin a training with it.")
    received = whole_file(upload)
    wanted = services.NewModel(
        name=upload.name, account_id=upload.account_id, licence=upload.licence, origin=upload.origin,
        author=upload.author, labels=upload.labels,
    )  # fmt: skip
    try:
        return services.adopt_model(actor=actor, wanted=wanted, received=received)
    finally:
        forget(upload)


def whole_file(upload: ModelUpload) -> files.ReceivedFile:
    """Return the file of an upload that has all its bytes, the ones that were announced."""
    path = path_of(upload.pk)
    if not check_whole(
        path, received_bytes=upload.received_bytes, size_bytes=upload.size_bytes, sha256=upload.sha256
    ):
        forget(upload)
        raise InvalidInputError(
            "The file is not the one that was announced: its SHA-256 differs. Send it again.",
            code="wrong_checksum",
            field="sha256",
        )
    return files.ReceivedFile(path, upload.sha256, upload.size_bytes)


def cancel_upload(*, actor: Actor, upload: ModelUpload) -> None:
    """Throw away what has come."""
    services.require_model_rights(actor, upload.account_id)
    audit.record(
        actor.ref(), "upload.deleted", subject_kind="model", subject_id=upload.pk,
        subject_name=upload.name, account_id=upload.account_id,
    )  # fmt: skip
    forget(upload)


def forget(upload: ModelUpload) -> None:
    """Delete the row and the file."""
    ModelUpload.objects.filter(pk=upload.pk).delete()
    path_of(upload.pk).unlink(missing_ok=True)


def expire_uploads(now: datetime) -> int:
    """Forget what nobody went on with; return how many there were."""
    old = list(ModelUpload.objects.filter(expires_at__lt=now))
    for upload in old:
        forget(upload)
    return len(old)


def path_of(upload_id: UUID) -> Path:
    """Return where an upload's bytes lie."""
    return files.folder() / "uploads" / f"{upload_id}.part"
