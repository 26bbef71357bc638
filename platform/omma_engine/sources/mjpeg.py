"""HTTP cameras that send pictures one after the other (`multipart/x-mixed-replace`).

Options: none of its own. The stream is read by our own HTTP client; each picture is a JPEG of at most 16 MiB.
"""

import re
from collections.abc import Iterator
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from omma_engine.clock import Clock, SystemClock
from omma_engine.errors import SourceStalledError, SourceUnsupportedError
from omma_engine.sources.addresses import require_scheme
from omma_engine.sources.base import RawPicture
from omma_engine.sources.guard import AddressGuard, guard_for
from omma_engine.sources.http import CameraHttp
from omma_engine.types import SourceSpec

_SCHEMES = frozenset({"http", "https"})
_MOST_BYTES = 16 * 1024 * 1024
_MOST_BAD_PICTURES = 50
_BOUNDARY = re.compile(r'boundary="?([^";\s]+)"?', re.IGNORECASE)
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_START_OF_IMAGE, _END_OF_IMAGE = b"\xff\xd8", b"\xff\xd9"


class MjpegSource:
    """Reads one MJPEG stream."""

    def __init__(
        self, spec: SourceSpec, clock: Clock | None = None, guard: AddressGuard | None = None
    ) -> None:
        require_scheme(spec.url, _SCHEMES)
        self._url = spec.url
        self._clock = clock or SystemClock()
        self._guard = guard or guard_for(spec)
        self._http: CameraHttp | None = None
        self._parts: Iterator[bytes] = iter(())
        self._size: tuple[int, ...] | None = None

    @property
    def frame_rate(self) -> float:
        return 0.0

    def open(self) -> None:
        """Open the stream; raises `SourceUnsupportedError` where the address answers with something else."""
        self._http = CameraHttp(self._url, self._guard)
        answer = self._http.open(self._url)
        content_type = answer.headers.get("content-type", "")
        boundary = _BOUNDARY.search(content_type)
        if not content_type.lower().startswith("multipart/") or boundary is None:
            raise SourceUnsupportedError(f"expected a stream of pictures, got {content_type or 'nothing'}")
        self._parts = jpeg_parts(answer.chunks(), boundary.group(1))
        self._size = None

    def read(self) -> RawPicture:
        """Return the next picture that can be decoded."""
        for _ in range(_MOST_BAD_PICTURES):
            jpeg = next(self._parts, None)
            if jpeg is None:
                raise SourceStalledError("the camera ended the stream")
            capture_us = self._clock.now_us()
            decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            if decoded is not None:
                array_bgr = cast("NDArray[np.uint8]", decoded)  # IMREAD_COLOR gives uint8
                return RawPicture(self._of_one_size(array_bgr), capture_us)
        raise SourceUnsupportedError("its pictures are no JPEGs that can be decoded")

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
            self._http = None

    def _of_one_size(self, array_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the picture; another size ends the session, and the next begins with it."""
        if self._size is None:
            self._size = array_bgr.shape
        if array_bgr.shape != self._size:
            raise SourceStalledError("the size of the pictures changed")
        return array_bgr


def jpeg_parts(chunks: Iterator[bytes], boundary: str) -> Iterator[bytes]:
    """Yield the JPEGs of a multipart stream, by their stated length where there is one, else by their
    markers.

    Cameras write the boundary with and without its two dashes, and some repeat them in the header, so it is
    only looked for between pictures. Raises `SourceUnsupportedError` for a picture that is too large.
    """
    delimiter = boundary.lstrip("-").encode()
    buffer = bytearray()
    for chunk in chunks:
        buffer += chunk
        while (part := _take_part(buffer, delimiter)) is not None:
            yield part
        if len(buffer) > _MOST_BYTES:
            raise SourceUnsupportedError(f"expected pictures of at most {_MOST_BYTES} bytes")


def _take_part(buffer: bytearray, delimiter: bytes) -> bytes | None:
    """Take the first whole JPEG from the front of the buffer; None while there is none."""
    at = buffer.find(delimiter)
    head_end = buffer.find(b"\r\n\r\n", at + len(delimiter)) if at >= 0 else -1
    if head_end < 0:
        return None
    start = head_end + 4
    length = _LENGTH.search(bytes(buffer[at:head_end]))
    end = start + int(length.group(1)) if length else _end_of_jpeg(buffer, start, delimiter)
    if end < 0 or len(buffer) < end:
        return None
    part = bytes(buffer[start:end])
    del buffer[:end]
    return part


def _end_of_jpeg(buffer: bytearray, start: int, delimiter: bytes) -> int:
    following = buffer.find(delimiter, start)
    if following < 0:
        return -1
    end = buffer.rfind(_END_OF_IMAGE, start, following)
    return end + 2 if end >= 0 and buffer[start : start + 2] == _START_OF_IMAGE else following
