"""Where an analysis keeps what it makes; needs none of what makes it."""

from pathlib import Path
from uuid import UUID


def pictures_folder(task_id: UUID) -> str:
    """Return where an analysis' pictures lie, relative to the data folder."""
    return f"thumbnails/analyses/{task_id}"


def work_folder(data_dir: Path, task_id: UUID) -> Path:
    """Return where an analysis keeps its list of footage and its boxes."""
    return data_dir / "analyses" / str(task_id)
