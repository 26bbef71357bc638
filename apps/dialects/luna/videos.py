"""Video analytics: one request is one video, which is fetched, analysed and told, at once or later."""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection

from apps.accounts.access import Action, visible
from apps.accounts.models import Account
from apps.accounts.selectors import account_for_writing
from apps.core.exceptions import ConflictError
from apps.core.models import TaskState
from apps.dialects.luna.analytics import wanted_analytics
from apps.dialects.luna.bodies import invalid
from apps.dialects.luna.callers import Caller
from apps.dialects.luna.errors import NO_RESULT, NO_TASK, PROCESSING, LunaError
from apps.dialects.luna.video_results import results_of
from apps.dialects.luna.wording import naming
from apps.inference.analyses.models import Analysis
from apps.recordings.videos.models import Video
from apps.recordings.videos.progress import VideoProgress, progress_of
from apps.recordings.videos.services import LookFor, NewVideo, delete_video, import_address

LONGEST_WAIT_S = 120.0  # for an answer at once
LOOK_S = 0.25
NAME = "Luna video"
_NUMBERS = {
    TaskState.PENDING: 0,
    TaskState.RUNNING: 1,
    TaskState.DONE: 2,
    TaskState.FAILED: 3,
    TaskState.CANCELLED: 4,
}
_OVER = {TaskState.DONE.value, TaskState.FAILED.value, TaskState.CANCELLED.value}


def is_deferred(body: Mapping[str, Any]) -> bool:
    """Tell whether the client comes back for the result."""
    deferred = body.get("deferred_task")
    return deferred is not None and bool(deferred.get("enabled", True))


def account_for(caller: Caller, named: Account | None) -> Account:
    """Return the account that a video goes to: the one named, this agent's, or the only one it can be."""
    return named or account_for_writing(caller.actor, Action.MANAGE_CAMERAS, caller.account_id)


def begin(caller: Caller, account: Account, body: Mapping[str, Any]) -> Video:
    """Have a video fetched and analysed."""
    given = [_as_analytic(one, number) for number, one in enumerate(body["analytics"])]
    looks_for = [
        LookFor(one.model_version, one.name, dict(one.values))
        for one in wanted_analytics(caller, account, given, {})
    ]
    wanted = NewVideo(account, NAME, rotation=_rotation(body["video"]), looks_for=looks_for)
    with naming({"address": "video.url", "rotation": "video.orientation.angle", "models": "analytics"}):
        return import_address(actor=caller.actor, wanted=wanted, address=body["video"]["url"])


def task_of(caller: Caller, task_id: UUID) -> Video:
    """Return a task; absent and somebody else's are the same error."""
    rows = visible(caller.actor, Action.PLAYBACK, Video.objects.select_related("task"))
    if caller.account_id is not None:
        rows = rows.filter(account_id=caller.account_id)
    video = rows.filter(pk=task_id).first()
    if video is None:
        raise LunaError(NO_TASK, f"Task with id {task_id} not found")
    return video


def represent_task(video: Video) -> dict[str, Any]:
    """Return how far a task is."""
    progress = progress_of(video)
    return {
        "task_id": str(video.pk),
        "status": _NUMBERS[TaskState(progress.state)],
        "progress": round(progress.share, 4),
        "result_url": result_url(video) if progress.state == TaskState.DONE else None,
        "error": progress.error or None,
    }


def result_url(video: Video) -> str:
    return f"/1/video/tasks/{video.pk}/result"


def result_of(video: Video) -> dict[str, Any]:
    """Return what was found; raise a `LunaError` before that is known, and when it cannot be."""
    progress = progress_of(video)
    if progress.state in {TaskState.FAILED, TaskState.CANCELLED}:
        raise _failed(progress)
    is_done = progress.state == TaskState.DONE and video.analysis_id is not None
    analysis = Analysis.objects.filter(pk=video.analysis_id or video.pk).first() if is_done else None
    if analysis is None:
        raise LunaError(NO_RESULT, f"Task with id {video.pk} has no result yet")
    return results_of(video, analysis)


def result_at_once(caller: Caller, video: Video) -> dict[str, Any]:
    """Wait for the result, bounded; the video is not kept, whatever comes of it."""
    try:
        progress = _awaited(video)
        if progress.state not in _OVER:
            words = f"the video takes longer than {LONGEST_WAIT_S:.0f} s; ask with deferred_task"
            raise LunaError(PROCESSING, f"Stream processing error: {words}")
        return result_of(Video.objects.select_related("task").get(pk=video.pk))
    finally:
        _forget(caller, video)


def _awaited(video: Video) -> VideoProgress:
    """Wait until it is over; the database's connection is given back meanwhile."""
    deadline_s = time.monotonic() + LONGEST_WAIT_S
    while True:
        progress = progress_of(Video.objects.select_related("task").get(pk=video.pk))
        if progress.state in _OVER or time.monotonic() > deadline_s:
            return progress
        connection.close()
        time.sleep(LOOK_S)


def _forget(caller: Caller, video: Video) -> None:
    left = Video.objects.select_related("task", "camera").filter(pk=video.pk).first()
    if left is None:
        return
    try:
        delete_video(actor=caller.actor, video=left)
    except ConflictError:
        return  # somebody holds its footage by now


def _failed(progress: VideoProgress) -> LunaError:
    return LunaError(PROCESSING, f"Stream processing error: {progress.error or progress.state}")


def _as_analytic(given: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Return an analytic as streams have it. All counts are wanted, whenever they would be told live."""
    parameters = dict(given.get("parameters") or {})
    if "ttl" in (parameters.get("image_retain_policy") or {}):
        raise invalid(f"analytics.{number}.parameters.image_retain_policy.ttl", "not accepted in videosdk")
    policy = parameters.get("event_policy") or {}
    parameters["event_policy"] = {"interval": 0.5, **policy, "trigger": "period"}
    return {
        "analytic_name": given["name"],
        "parameters": parameters,
        "targets": given.get("targets") or [],
    }


def _rotation(video: Mapping[str, Any]) -> int | None:
    """Return how far to turn the picture; None: as the file says."""
    orientation = video.get("orientation") or {}
    strategy = orientation.get("orientation_strategy", "static")
    if strategy != "static" and "angle" in orientation:
        raise invalid("video.orientation.angle", "an angle belongs to the static orientation strategy")
    return orientation.get("angle") if strategy == "static" else None
