"""Where exports lie below the data folder: the finished file, and the folder that one is made in."""

import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings


def exports_root() -> Path:
    return Path(settings.OMMA_DATA_DIR) / "exports"


def zip_path(export_id: UUID) -> Path:
    """Return where a finished export is; it is whole as soon as it is there."""
    return exports_root() / f"{export_id}.zip"


def video_path(export_id: UUID) -> Path:
    """Return where a finished time-lapse is."""
    return exports_root() / f"{export_id}.mp4"


def work_folder(export_id: UUID) -> Path:
    """Return where the files of an export are made."""
    return exports_root() / f"{export_id}.work"


def remove_files(export_id: UUID) -> None:
    """Delete all that there is of an export."""
    for path in (zip_path(export_id), video_path(export_id)):
        path.unlink(missing_ok=True)
    shutil.rmtree(work_folder(export_id), ignore_errors=True)
