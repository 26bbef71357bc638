"""Exports go after a week; those whose job is over without them have failed; files of nobody go too."""

import shutil
import time
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.core.exceptions import OmmaError
from apps.core.models import TaskState
from apps.recordings.exports.job import fail
from apps.recordings.exports.places import exports_root, remove_files
from apps.recordings.exports.services import announce
from apps.recordings.models import Export, ExportState

_GRACE_S = 3600.0


def clean() -> str:
    """Clean up: the periodic job."""
    return f"{_expire()} expired, {_settle()} failed, {_sweep()} left-overs deleted"


def _expire() -> int:
    count = 0
    for export in Export.objects.filter(expires_at__lt=timezone.now()).order_by("id"):
        with transaction.atomic():
            announce(export, "deleted")
            export_id = export.pk
            export.delete()
        remove_files(export_id)
        count += 1
    return count


def _settle() -> int:
    """Say of exports whose job has ended otherwise (its worker died too often) that they have failed."""
    unfinished = Export.objects.filter(state__in=[ExportState.PENDING, ExportState.RUNNING])
    over = Q(task=None) | Q(task__state__in=[TaskState.FAILED, TaskState.CANCELLED, TaskState.DONE])
    lost = list(unfinished.filter(over).select_related("task"))
    for export in lost:
        reason = export.task.error if export.task is not None and export.task.error else "Its job was lost."
        fail(export, OmmaError(reason, code="job_lost"))
    return len(lost)


def _sweep() -> int:
    """Delete what lies there an hour and belongs to no export."""
    root, limit_s, count = exports_root(), time.time() - _GRACE_S, 0
    if not root.is_dir():
        return 0
    known = set(Export.objects.values_list("pk", flat=True))
    for path in root.iterdir():
        if path.stat().st_mtime < limit_s and _owner(path.name) not in known:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            count += 1
    return count


def _owner(name: str) -> UUID | None:
    try:
        return UUID(name.partition(".")[0])
    except ValueError:
        return None
