"""What the job queue calls for videos; light, because every process registers it."""

from typing import Any

from apps.core import jobs
from apps.core.models import Task


@jobs.handler("video.import")
def import_video(task: Task) -> dict[str, Any]:
    """Take a turn at an import."""
    from apps.recordings.videos.importing import run  # inference and its engine come with it

    return run(task)
