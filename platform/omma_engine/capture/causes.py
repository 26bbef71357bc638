"""What a broken source means for its stream: the state that is shown and the cause of the gap."""

from omma_engine.errors import (
    SourceAuthError,
    SourceBusyError,
    SourceEndedError,
    SourceError,
    SourceForbiddenError,
    SourceNotFoundError,
    SourceUnsupportedError,
)
from omma_engine.types import GapCause, SourceState

_CAMERA = (
    SourceAuthError,
    SourceBusyError,
    SourceNotFoundError,
    SourceForbiddenError,
    SourceUnsupportedError,
)


def gap_cause(error: SourceError) -> GapCause:
    """Return why pictures are missing: the camera itself says no, or the way to it is broken."""
    return GapCause.CAMERA if isinstance(error, _CAMERA) else GapCause.NETWORK


def state_after(error: SourceError) -> SourceState:
    """Return what the source is doing after this failure."""
    if isinstance(error, SourceEndedError):
        return SourceState.ENDED
    return SourceState.RECONNECTING if error.is_retryable else SourceState.FAILED
