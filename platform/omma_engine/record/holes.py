"""Time without pictures, although the source did not break: what of it is missing."""

from dataclasses import dataclass

from omma_engine.types import EncodedPacket, GapCause

_HOLE_US = 2_000_000
_ANEW_US = 10_000_000
"""So much time at most may pass between two pictures because the camera's clock is counted anew."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Why there is nothing between two pictures."""

    cause: GapCause
    detail: str


class HoleWatch:
    """Follows the capture times of the pictures of one stream. One thread."""

    def __init__(self) -> None:
        self._last_us = 0
        self._interval_us = 0
        self._is_counted_anew = False
        self._told: Hole | None = None

    def tell(self, hole: Hole) -> None:
        """Say why there is time before the next picture."""
        self._told = hole

    def count_anew(self) -> None:
        """Say that the camera's clock is mapped anew at the next picture: no picture is missing before it."""
        self._is_counted_anew = True

    def find(self, packet: EncodedPacket) -> Hole | None:
        """Return what is missing before a picture; None where it follows the last one, however late."""
        passed_us = packet.capture_us - self._last_us
        if not self._last_us or passed_us <= max(_HOLE_US, 3 * self._interval_us):
            return None
        if self._told is None and self._is_counted_anew and passed_us <= _ANEW_US:
            return None
        return self._told or Hole(GapCause.CAMERA, "no pictures came")

    def remember(self, packet: EncodedPacket) -> None:
        """Take a picture that was looked at."""
        self._is_counted_anew, self._told = False, None
        if packet.capture_us > self._last_us:
            self._interval_us = packet.capture_us - self._last_us if self._last_us else 0
            self._last_us = packet.capture_us
