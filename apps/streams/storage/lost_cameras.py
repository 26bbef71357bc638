"""Cameras for footage whose database is lost: each stream found on a volume gets one, switched off.

Nothing is recorded or opened by them; they are there so that the footage belongs to somebody, and can be
indexed and played.
"""

from pathlib import Path
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Account
from apps.cameras.models import Camera, Driver
from apps.core import audit
from apps.core.exceptions import ConflictError
from apps.core.numbering import next_number
from apps.streams.models import Source, Stream, Volume
from omma_engine.record.disk import SEGMENTS_FOLDER


def add_cameras_of(volume: Volume) -> int:
    """Add a camera for each stream that the volume has a folder of and the database does not know."""
    found = {one for one in map(_stream_id, _folders(volume)) if one is not None}
    unknown = sorted(found - set(Stream.objects.filter(id__in=found).values_list("id", flat=True)))
    for stream_id in unknown:
        _add(stream_id, volume)
    return len(unknown)


@transaction.atomic
def _add(stream_id: UUID, volume: Volume) -> None:
    account = Account.objects.order_by("created_at", "id").first()
    if account is None:
        raise ConflictError("There is no account to add cameras to: run `manage.py prepare` first.")
    camera = Camera.objects.create(
        account=account,
        number=next_number(account, "camera"),
        name=f"Recovered {str(stream_id)[-6:]}",
        driver=Driver.FILE,
        is_enabled=False,
    )
    source = Source.objects.create(account=account, camera=camera, is_wanted=False)
    Stream.objects.create(id=stream_id, account=account, camera=camera, source=source)
    audit.record(
        audit.SYSTEM,
        "camera.recovered",
        subject_kind="camera",
        subject_id=camera.pk,
        subject_name=camera.name,
        account_id=account.pk,
        detail={"volume": volume.name, "stream": str(stream_id)},
    )


def _folders(volume: Volume) -> list[str]:
    folder = Path(volume.root) / SEGMENTS_FOLDER
    return sorted(one.name for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []


def _stream_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None
