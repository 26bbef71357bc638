"""Errors of the engine.

EngineError
├── SourceError                 a source cannot be opened or read (retryable unless a subclass says no)
│   ├── SourceUnreachableError  no route, refused, timed out
│   ├── SourceAuthError         401 / 403: wait at least 30 s, so that the camera does not lock the account
│   ├── SourceBusyError         453, 486, 503: the camera takes no further session
│   ├── SourceNotFoundError     404 / no such file or device
│   ├── SourceUnsupportedError  codec, scheme or container that cannot be handled (not retryable)
│   ├── SourceForbiddenError    the egress guard refused the address (not retryable)
│   ├── SourceStalledError      no packet for longer than the read timeout
│   └── SourceEndedError        the source came to its end (a file played once)
├── StorageError                a volume cannot be written
├── PlaybackError               stored footage cannot be turned into what was asked
│   ├── FootageMissingError     nothing is recorded there, or a file is gone (ask again after a new look-up)
│   ├── FootageMixedError       one clip would hold several codecs or picture sizes (not retryable)
│   └── FootageDamagedError     a file holds no readable video (not retryable)
├── DetectorError               a model cannot be loaded or run
│   ├── ModelLayoutError        a model's inputs or outputs are not of a known layout (not retryable)
│   ├── UnsafeModelError        a model file asks for something that no detector needs (not retryable)
│   └── UnsafeArchiveError      a dataset is no zip, or one that is not safe to unpack (not retryable)
├── VideoFileError              a video file cannot be imported; `reason` says which way (not retryable)
├── RegionError                 a region lies outside the stream's picture (not retryable)
└── ProtocolError               a malformed control message
"""

from typing import ClassVar


class EngineError(Exception):
    """Base of every error that the engine raises on purpose."""

    code: ClassVar[str] = "engine_error"
    is_retryable: ClassVar[bool] = True


class SourceError(EngineError):
    code = "source_error"


class SourceUnreachableError(SourceError):
    code = "unreachable"


class SourceAuthError(SourceError):
    code = "unauthorized"


class SourceBusyError(SourceError):
    code = "busy"


class SourceNotFoundError(SourceError):
    code = "not_found"


class SourceUnsupportedError(SourceError):
    code = "unsupported"
    is_retryable = False


class SourceForbiddenError(SourceError):
    code = "forbidden_address"
    is_retryable = False


class SourceStalledError(SourceError):
    code = "stalled"


class SourceEndedError(SourceError):
    code = "ended"
    is_retryable = False


class StorageError(EngineError):
    code = "storage"


class DiskFailedError(StorageError):
    """The disk itself failed, rather than being full, away or protected."""

    code = "disk_failed"


class PlaybackError(EngineError):
    code = "playback"


class FootageMissingError(PlaybackError):
    code = "no_footage"


class FootageMixedError(PlaybackError):
    """`parts` are the `(start_us, end_us)` ranges that are of one kind each."""

    code = "mixed_footage"
    is_retryable = False

    def __init__(self, message: str, parts: tuple[tuple[int, int], ...]) -> None:
        super().__init__(message)
        self.parts = parts


class FootageDamagedError(PlaybackError):
    code = "damaged_footage"
    is_retryable = False


class VideoFileError(EngineError):
    """`reason` is one word for programs."""

    code = "video_file"
    is_retryable = False

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class DetectorError(EngineError):
    code = "detector"


class ModelLayoutError(DetectorError):
    code = "model_layout"
    is_retryable = False


class UnsafeModelError(DetectorError):
    code = "unsafe_model"
    is_retryable = False


class UnsafeArchiveError(DetectorError):
    code = "unsafe_archive"
    is_retryable = False


class RegionError(EngineError):
    code = "region_outside"
    is_retryable = False


class ProtocolError(EngineError):
    code = "protocol"
    is_retryable = False
