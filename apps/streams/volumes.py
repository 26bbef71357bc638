"""Volumes and the identity files in them, which name the volume and the installation that it belongs to."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.streams.models import Installation, Volume, VolumeKind
from omma_engine.ids import uuid7
from omma_engine.record.recover import sync_folder
from omma_engine.record.volume import IDENTITY_FILE

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Identity:
    """What an identity file says. Files of before installations had a name do not say whose they are."""

    volume_id: UUID
    installation: UUID | None = None

    @property
    def is_ours(self) -> bool:
        return self.installation in {None, installation_id()}

    def as_text(self) -> str:
        values = {"volume_id": str(self.volume_id), "format": _FORMAT}
        return json.dumps(values | ({"installation": str(self.installation)} if self.installation else {}))


def default_root() -> Path:
    """Return where segments go unless somebody says otherwise."""
    return Path(settings.OMMA_DATA_DIR) / "volumes" / "default"


def installation_id() -> UUID:
    """Return which database this is; its copies and restored dumps are the same."""
    found = Installation.objects.values_list("id", flat=True).first()
    return found or Installation.objects.get_or_create(is_only=True)[0].id


def ensure_default_volume(root: Path | None = None) -> Volume:
    """Make the default volume's folder, identity file and row, as far as they are missing.

    A folder that is there keeps the identity it has: a volume moved from elsewhere stays what it is, and one
    that this database does not know (it is new, or another one's) shows as foreign until it is adopted.
    """
    root = (root or default_root()).absolute()
    known = Volume.objects.filter(root=str(root)).first()
    volume_id = _ensure_identity(root, known.id if known else None)
    with transaction.atomic():
        if known is not None:
            return known  # a foreign identity shows in its state
        moved = Volume.objects.filter(id=volume_id).first() if volume_id else None
        if moved is not None:
            moved.root = str(root)
            moved.save(update_fields=["root", "updated_at"])
            return moved
        has_default = Volume.objects.filter(is_default=True).exists()
        return Volume.objects.create(
            id=volume_id or uuid7(),  # any other than that in the folder
            name="default" if not has_default else f"default {root.name}"[:120],
            root=str(root),
            is_default=not has_default,
        )


def read_identity(root: Path) -> UUID | None:
    """Return the id of the volume in a folder, or None where there is none."""
    found = identity_in(root)
    return None if found is None else found.volume_id


def identity_in(root: Path) -> Identity | None:
    """Return what the identity file in a folder says, or None where there is none that can be read."""
    try:
        return parse_identity((root / IDENTITY_FILE).read_bytes())
    except OSError:
        return None


def parse_identity(text: bytes) -> Identity | None:
    """Return what an identity file says, None where that is nothing of sense."""
    try:
        values = json.loads(text)
        whose = values.get("installation")
        return Identity(UUID(values["volume_id"]), None if whose is None else UUID(whose))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def write_identity(root: Path, identity: Identity) -> None:
    """Write a folder's identity file, durably and at once."""
    draft = root / f"{IDENTITY_FILE}.new"
    draft.write_text(identity.as_text())
    draft.replace(root / IDENTITY_FILE)
    sync_folder(root)


def is_folder(volume: Volume) -> bool:
    """Tell whether a volume is a folder here, rather than a bucket elsewhere."""
    return volume.kind == VolumeKind.FOLDER


def _ensure_identity(root: Path, known: UUID | None) -> UUID | None:
    """Return which volume of ours the folder is; None where it is one that nobody here knows.

    An identity is written only into a folder that Omma has just made or that is empty.
    """
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    found = identity_in(root)
    if found is not None:
        is_known = Volume.objects.filter(id=found.volume_id).exists()
        if is_known and found.installation is None and found.volume_id == (known or found.volume_id):
            write_identity(root, Identity(found.volume_id, installation_id()))
        is_own = is_known or found.installation == installation_id()
        return found.volume_id if is_own and found.is_ours else None
    volume_id = known or uuid7()
    if known is not None and Volume.objects.get(id=known).segments.exists():
        return volume_id  # its footage is elsewhere: the folder shows as missing, and stays untouched
    write_identity(root, Identity(volume_id, installation_id()))
    return volume_id
