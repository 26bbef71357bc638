"""What the job queue calls for an export; light, because every process registers it."""

from typing import Any

from apps.core import jobs
from apps.core.models import Task
from apps.recordings.exports.services import JOB_KIND
from apps.recordings.exports.timelapses import JOB_KIND as TIMELAPSE_KIND


@jobs.handler(JOB_KIND, queue="recording")
def run_job(task: Task) -> dict[str, Any]:
    """Make the export that the job names."""
    from apps.recordings.exports.job import make_export  # FFmpeg comes with it: only where exports are made

    return make_export(task)


@jobs.handler(TIMELAPSE_KIND, queue="recording")
def run_timelapse(task: Task) -> dict[str, Any]:
    """Make the time-lapse that the job names."""
    from apps.recordings.exports.timelapse_job import make_timelapse

    return make_timelapse(task)
