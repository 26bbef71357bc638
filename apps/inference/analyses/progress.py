"""How far an analysis is."""

from dataclasses import dataclass

from apps.core.models import TaskState
from apps.inference.analyses.models import Analysis


@dataclass(frozen=True, slots=True)
class Progress:
    """`share` is 0 to 1. `speed` is in seconds of footage a second, `left_s` None while that is not known."""

    state: str
    share: float
    speed: float
    left_s: float | None
    error: str


def progress_of(analysis: Analysis) -> Progress:
    """Return how far an analysis is; one whose task was cleaned away is over, with a result or without."""
    task = analysis.task
    if task is None:
        is_done = bool(analysis.result)
        state = TaskState.DONE if is_done else TaskState.FAILED
        return Progress(state, float(is_done), analysis.speed, 0.0, "" if is_done else "It gave no result.")
    is_over = task.state in {TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED}
    left_s: float | None = 0.0 if is_over else None
    if not is_over and analysis.speed > 0:
        left_s = round((1 - task.progress) * analysis.footage_s / analysis.speed, 1)
    return Progress(task.state, task.progress, analysis.speed, left_s, task.error)
