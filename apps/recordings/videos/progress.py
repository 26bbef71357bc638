"""How far a video is: on its way in, and then through the analysis that was asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.core.models import TaskState
from apps.inference.analyses.models import Analysis
from apps.inference.analyses.progress import progress_of as progress_of_analysis
from apps.recordings.videos.models import Video, VideoState

_IMPORT_SHARE = 0.3  # of the whole, where an analysis follows


@dataclass(frozen=True, slots=True)
class VideoProgress:
    """`state` is a task's; `share` is 0 to 1 and never falls. `left_s` is None while it is not known."""

    state: str
    share: float
    left_s: float | None
    error: str
    error_code: str


def progress_of_all(videos: Sequence[Video]) -> dict[UUID, VideoProgress]:
    """Return how far each of these is, at the cost of one query."""
    wanted = [video.analysis_id for video in videos if video.analysis_id is not None]
    found = {row.pk: row for row in Analysis.objects.select_related("task").filter(pk__in=wanted)}
    return {
        video.pk: progress_of(video, found.get(_known(video.analysis_id)), is_looked_up=True)
        for video in videos
    }


def progress_of(
    video: Video, analysis: Analysis | None = None, *, is_looked_up: bool = False
) -> VideoProgress:
    """Return how far a video is; `analysis` is the one that was begun, where the caller looked it up."""
    imported = _import_share(video)
    if video.state in {VideoState.FAILED, VideoState.CANCELLED}:
        state = TaskState.FAILED if video.state == VideoState.FAILED else TaskState.CANCELLED
        return VideoProgress(state, imported, None, video.error, video.error_code)
    wants_analysis = bool(video.analysis.get("models"))
    if video.state != VideoState.DONE:
        is_running = video.task is not None and imported > 0
        share = imported * (_IMPORT_SHARE if wants_analysis else 1.0)
        return VideoProgress(TaskState.RUNNING if is_running else TaskState.PENDING, share, None, "", "")
    if not wants_analysis:
        return VideoProgress(TaskState.DONE, 1.0, 0.0, "", "")
    if not is_looked_up:
        rows = Analysis.objects.select_related("task")
        analysis = rows.filter(pk=_known(video.analysis_id)).first()
    if analysis is None:
        return VideoProgress(TaskState.CANCELLED, _IMPORT_SHARE, None, "The analysis was deleted.", "gone")
    inner = progress_of_analysis(analysis)
    going_on = str(TaskState.RUNNING if inner.state == TaskState.PENDING else inner.state)
    share = _IMPORT_SHARE + (1 - _IMPORT_SHARE) * inner.share
    code = "analysis_failed" if inner.state == TaskState.FAILED else ""
    return VideoProgress(going_on, share, inner.left_s, inner.error, code)


def _known(key: UUID | None) -> UUID:
    return key or UUID(int=0)


def _import_share(video: Video) -> float:
    if video.state == VideoState.RECEIVING:
        return 0.0
    if video.task is None or video.state == VideoState.DONE:
        return 1.0
    return video.task.progress
