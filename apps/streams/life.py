"""The life of a stream in nine words, derived from what is wanted, what its source says and who has it."""

from dataclasses import dataclass

from django.db import models

from omma_engine.errors import (
    SourceAuthError,
    SourceForbiddenError,
    SourceNotFoundError,
    SourceUnsupportedError,
)
from omma_engine.types import SourceState

FATAL_CODES = frozenset(  # what only a person can put right: never restarted automatically
    {SourceAuthError.code, SourceForbiddenError.code, SourceNotFoundError.code, SourceUnsupportedError.code}
)


class Life(models.TextChoices):
    """What becomes of a stream. `HANDLER_LOST` is passed through, and stands in the log only.

    `UNKNOWN` is said of several streams that differ, and of what nobody can tell.
    """

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    RESTART = "restart"
    FAILURE = "failure"
    STOP = "stop"
    HANDLER_LOST = "handler_lost"
    UNKNOWN = "unknown"
    PAUSED = "paused"


class RestartState(models.TextChoices):
    """How automatic restarting stands."""

    DISABLED = "disabled"
    ENABLED = "enabled"
    IN_PROGRESS = "in_progress"
    FAILED = "failed"  # the attempts are used up
    DENIED = "denied"  # no attempt can help


_LOST = (Life.HANDLER_LOST, Life.RESTART, Life.PENDING)
LOST_STEPS = len(_LOST)


@dataclass(frozen=True, slots=True)
class LifeFacts:
    """Everything that a stream's life follows from."""

    state: str  # of the source: the engine's `SourceState`, or `pending`
    code: str = ""  # of its error
    is_allowed: bool = True  # the camera is enabled, the account active
    is_wanted: bool = True
    is_paused: bool = False
    has_given_up: bool = False
    will_restart: bool = False
    has_handler: bool = True


def life_of(facts: LifeFacts) -> Life:
    """Return what a stream's life is now."""
    if not facts.is_allowed:
        return Life.STOP
    if not facts.is_wanted:
        return _life_at_rest(facts)
    if facts.state == SourceState.ENDED:
        return Life.DONE
    if not facts.has_handler:
        return Life.PENDING  # what its source said last is no longer true
    match facts.state:
        case SourceState.LIVE:
            return Life.IN_PROGRESS
        case SourceState.FAILED:
            return Life.FAILURE
        case SourceState.RECONNECTING:
            return Life.FAILURE if facts.code in FATAL_CODES else Life.RESTART
        case "pending" | SourceState.CONNECTING | SourceState.STOPPED:
            return Life.PENDING
        case _:
            return Life.UNKNOWN


def _life_at_rest(facts: LifeFacts) -> Life:
    if facts.is_paused:
        return Life.PAUSED
    if facts.has_given_up:
        return Life.RESTART if facts.will_restart else Life.FAILURE
    return Life.STOP


def steps_between(before: Life, after: Life, *, is_handler_lost: bool = False) -> list[Life]:
    """Return what the log shows on the way, the end of it included; nothing where nothing changed."""
    if is_handler_lost:
        return [*_LOST, *([] if after is Life.PENDING else [after])]
    if before is after:
        return []
    if after is Life.RESTART and before is not Life.FAILURE:
        return [Life.FAILURE, Life.RESTART]
    return [after]


def is_restart_allowed(*, limit: int, attempt: int, code: str) -> bool:
    """Tell whether a stream that failed may be tried once more."""
    return attempt < limit and code not in FATAL_CODES


def restart_state_of(*, limit: int | None, attempt: int, life: Life, code: str) -> RestartState:
    """Return how restarting stands; without a limit the source goes on trying by itself."""
    if limit == 0:
        return RestartState.DISABLED
    if life is Life.FAILURE:
        return RestartState.DENIED if code in FATAL_CODES else RestartState.FAILED
    if life is Life.RESTART or (life is Life.PENDING and attempt):
        return RestartState.IN_PROGRESS
    return RestartState.ENABLED


def life_of_several(lives: list[Life]) -> Life:
    """Return the life of what consists of several streams: theirs if it is one, else unknown."""
    return lives[0] if lives and all(life is lives[0] for life in lives) else Life.UNKNOWN
