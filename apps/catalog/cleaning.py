"""What the catalogue throws away in time: uploads that nobody finished, and what ended work left behind."""

import shutil
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from apps.catalog import files, uploads
from apps.core.models import Task, TaskState


def clean_up(now: datetime | None = None) -> str:
    """Delete old uploads, and folders of jobs that are over: the periodic job."""
    now = now or timezone.now()
    return f"{uploads.expire_uploads(now)} uploads, {_sweep_work()} folders"


def _sweep_work() -> int:
    swept = 0
    folder = files.folder() / "work"
    going_on = {TaskState.PENDING, TaskState.RUNNING}
    for place in folder.iterdir() if folder.is_dir() else ():
        try:
            task_id = UUID(place.name)
        except ValueError:
            continue
        if not Task.objects.filter(pk=task_id, state__in=going_on).exists():
            shutil.rmtree(place, ignore_errors=True)
            swept += 1
    return swept
