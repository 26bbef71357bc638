"""FFmpeg's errors as the engine's: one translation, at the edge."""

import errno

import av.error

from omma_engine.errors import (
    SourceAuthError,
    SourceEndedError,
    SourceError,
    SourceForbiddenError,
    SourceNotFoundError,
    SourceStalledError,
    SourceUnreachableError,
    SourceUnsupportedError,
)
from omma_engine.redaction import redact

_UNREACHABLE = frozenset(
    {
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.EHOSTDOWN,
        errno.ENETDOWN,
        errno.EPIPE,
        errno.EIO,
    }
)
_TIMED_OUT = frozenset({errno.ETIMEDOUT, errno.EAGAIN})


def source_error(error: Exception, *, was_open: bool) -> SourceError:
    """Return the engine's error for what opening or reading a source raised, without secrets."""
    if isinstance(error, SourceError):
        return error
    words = redact(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    return _class_of(error, was_open=was_open)(words)


def _class_of(error: Exception, *, was_open: bool) -> type[SourceError]:
    if isinstance(error, (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)):
        return SourceAuthError
    if isinstance(error, (av.error.HTTPNotFoundError, FileNotFoundError)):
        return SourceNotFoundError
    if isinstance(error, (av.error.ExitError, TimeoutError)) or _number_of(error) in _TIMED_OUT:
        return SourceStalledError if was_open else SourceUnreachableError
    if isinstance(error, EOFError):
        return SourceEndedError if was_open else SourceUnreachableError
    if isinstance(error, PermissionError):
        return SourceForbiddenError
    if isinstance(error, OSError) and _number_of(error) in _UNREACHABLE:
        return SourceUnreachableError
    return _class_of_content(error)


def _class_of_content(error: Exception) -> type[SourceError]:
    unsupported = (
        av.error.InvalidDataError,
        av.error.DecoderNotFoundError,
        av.error.DemuxerNotFoundError,
        av.error.ProtocolNotFoundError,
        av.error.PatchWelcomeError,
        av.error.ArgumentError,
        IsADirectoryError,
    )
    return SourceUnsupportedError if isinstance(error, unsupported) else SourceError


def _number_of(error: Exception) -> int | None:
    number = getattr(error, "errno", None)
    return number if isinstance(number, int) else None
