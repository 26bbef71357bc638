"""Volumes: folders known by the identity file in them, and their state as last looked at."""

import json
import os
import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.core import outbox
from apps.streams.models import Volume, VolumeState
from omma_engine.ids import uuid7
from omma_engine.record.recover import sync_folder
from omma_engine.record.volume import IDENTITY_FILE

_FORMAT = 1


def default_root() -> Path:
    """Return where segments go unless somebody says otherwise."""
    return Path(settings.OMMA_DATA_DIR) / "volumes" / "default"


def ensure_default_volume(root: Path | None = None) -> Volume:
    """Make the default volume's folder, identity file and row, as far as they are missing.

    A folder that is there keeps the identity it has: a volume moved from elsewhere stays what it is.
    """
    root = (root or default_root()).absolute()
    known = Volume.objects.filter(root=str(root)).first()
    volume_id = _ensure_identity(root, known.id if known else None)
    with transaction.atomic():
        if known is not None:
            return known  # a foreign identity shows in its state
        moved = Volume.objects.filter(id=volume_id).first()
        if moved is not None:
            moved.root = str(root)
            moved.save(update_fields=["root", "updated_at"])
            return moved
        has_default = Volume.objects.filter(is_default=True).exists()
        return Volume.objects.create(
            id=volume_id,
            name="default" if not has_default else f"default {volume_id.hex[-6:]}",
            root=str(root),
            is_default=not has_default,
        )


def volume_for_host(host: str) -> Volume | None:
    """Return the volume that this machine writes to: its own, else the default one."""
    volumes = list(Volume.objects.all())
    own = [volume for volume in volumes if volume.node_name and volume.node_name == host]
    return next(iter(own or [volume for volume in volumes if volume.is_default]), None)


def check_volumes() -> int:
    """Look at every volume and note its state; return how many changed."""
    changed = 0
    for volume in Volume.objects.order_by("id"):
        state = state_of(volume)
        with transaction.atomic():
            Volume.objects.filter(id=volume.id).update(checked_at=timezone.now(), state=state)
            if state != volume.state:
                changed += 1
                outbox.publish(
                    "system.updated",
                    subject_kind="volume",
                    subject_id=volume.id,
                    payload={"name": volume.name, "state": state},
                )
    return changed


def state_of(volume: Volume) -> VolumeState:
    """Look at a volume's folder. A state other than ready is never a reason to delete anything."""
    root = Path(volume.root)
    identity = read_identity(root)
    if identity is None:
        return VolumeState.MISSING
    if identity != volume.id:
        return VolumeState.FOREIGN
    if not os.access(root, os.W_OK) or os.statvfs(root).f_flag & os.ST_RDONLY:
        return VolumeState.READ_ONLY
    if shutil.disk_usage(root).free < volume.min_free_bytes:
        return VolumeState.FULL
    return VolumeState.READY


def read_identity(root: Path) -> UUID | None:
    """Return the id of the volume in a folder, or None where there is none."""
    try:
        return UUID(json.loads((root / IDENTITY_FILE).read_text())["volume_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ensure_identity(root: Path, known: UUID | None) -> UUID:
    """Return the folder's identity; write one only into a folder that Omma has just made or that is empty."""
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    found = read_identity(root)
    if found is not None:
        return found
    volume_id = known or uuid7()
    if known is not None and Volume.objects.get(id=known).segments.exists():
        return volume_id  # its footage is elsewhere: the folder shows as missing, and stays untouched
    draft = root / f"{IDENTITY_FILE}.new"
    draft.write_text(json.dumps({"volume_id": str(volume_id), "format": _FORMAT}))
    draft.replace(root / IDENTITY_FILE)
    sync_folder(root)
    return volume_id
