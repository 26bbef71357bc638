"""Where a volume may be, and what may be asked of it. Each refusal names its field."""

import os
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.core.exceptions import ConflictError, InvalidInputError
from apps.streams.models import Volume, VolumeKind, VolumeTier
from apps.streams.stores.base import Room
from apps.streams.stores.choosing import SCHEME

LEAST_QUOTA_BYTES = 64 * (1 << 20)  # less would be turned over within minutes
MOST_BYTES = (1 << 60) - 1
MOST_PATH = 500
_FORBIDDEN_ROOTS = ("/", "/proc", "/sys", "/dev", "/run", "/boot", "/etc", "/usr", "/bin", "/sbin", "/lib")


def checked_folder(text: str, *, besides: UUID | None = None) -> str:
    """Return a folder's real path, if a volume may be there."""
    text = text.strip()
    if not text.startswith("/") or "\0" in text or len(text) > MOST_PATH:
        raise InvalidInputError("Expected an absolute path, like /media/disk1/omma.", field="root")
    path = Path(os.path.normpath(text))
    if not path.is_dir():
        raise InvalidInputError("There is no such folder on this machine.", field="root")
    real = path.resolve()
    if str(real) in _FORBIDDEN_ROOTS or real.parts[:2] in {("/", "proc"), ("/", "sys"), ("/", "dev")}:
        raise InvalidInputError("This folder is the system's.", field="root")
    secrets = Path(settings.OMMA_SECRETS_DIR).resolve()
    if real in {secrets, Path(settings.OMMA_DATA_DIR).resolve()} or real.is_relative_to(secrets):
        raise InvalidInputError("This folder is Omma's own.", field="root")
    if not os.access(real, os.W_OK | os.X_OK) or os.statvfs(real).f_flag & os.ST_RDONLY:
        raise InvalidInputError("This folder cannot be written to.", field="root")
    refuse_nested(real, besides)
    return str(real)


def refuse_nested(real: Path, besides: UUID | None) -> None:
    """Refuse a folder that is a volume, or inside one, or around one."""
    for other in Volume.objects.filter(kind=VolumeKind.FOLDER):
        if other.id == besides:
            continue
        there = Path(other.root).resolve()
        if real == there:
            raise ConflictError(f"This folder is the volume {other.name}.", field="root")
        if real.is_relative_to(there) or there.is_relative_to(real):
            raise InvalidInputError(
                f"One of this folder and that of the volume {other.name} is inside the other.", field="root"
            )


def checked_bucket(text: str) -> str:
    """Return a bucket's address, if a volume may be there."""
    text = text.strip().rstrip("/")
    bucket, _, prefix = text.removeprefix(SCHEME).partition("/")
    is_plain = all(one.isalnum() or one in "-._/" for one in bucket + prefix) and ".." not in prefix
    if not text.startswith(SCHEME) or not 3 <= len(bucket) <= 63 or not is_plain or not text.isascii():
        raise InvalidInputError("Expected a bucket, like s3://bucket/prefix.", field="root")
    for other in Volume.objects.filter(kind=VolumeKind.S3):
        if f"{other.root}/".startswith(f"{text}/") or f"{text}/".startswith(f"{other.root}/"):
            raise ConflictError(f"The volume {other.name} is there.", field="root")
    return text


def check_limits(volume: Volume) -> None:
    """Refuse a name, tier or limits that make no sense."""
    if not volume.name or len(volume.name) > 120 or "\0" in volume.name:
        raise InvalidInputError("Expected a name of 1 to 120 characters.", field="name")
    if volume.tier not in VolumeTier.values:
        raise InvalidInputError(f"Expected one of {', '.join(VolumeTier.values)}.", field="tier")
    if volume.max_bytes is not None and not LEAST_QUOTA_BYTES <= volume.max_bytes <= MOST_BYTES:
        raise InvalidInputError(f"Expected {LEAST_QUOTA_BYTES} bytes at least.", field="max_bytes")
    if not 0 <= volume.min_free_bytes <= MOST_BYTES:
        raise InvalidInputError("Expected 0 bytes at least.", field="min_free_bytes")


def check_room(volume: Volume, room: Room) -> None:
    """Refuse limits that the disk cannot keep: they would have everything deleted."""
    if room.total_bytes is None:
        return
    if volume.min_free_bytes >= room.total_bytes:
        message = f"The whole disk has {room.total_bytes} bytes: nothing could be kept on it."
        raise InvalidInputError(message, field="min_free_bytes")
    if volume.max_bytes is not None and volume.max_bytes > room.total_bytes:
        message = f"The whole disk has {room.total_bytes} bytes."
        raise InvalidInputError(message, field="max_bytes")
