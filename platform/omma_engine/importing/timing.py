"""From a file's timestamps to wall time: the first picture is shown at the start that was given."""

from dataclasses import dataclass

_LONGEST_STEP_US = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture's time: `capture_us` in UTC, `dts` and `duration` in the file's ticks, without jumps."""

    capture_us: int
    dts: int
    duration: int


class FileTime:
    """Places pictures, in decoding order. A jump of the timestamps is left out: what follows joins on."""

    def __init__(self, start_us: int, time_base: tuple[int, int]) -> None:
        self._start_us = start_us
        self._numerator, self._denominator = time_base
        self._first_pts: int | None = None
        self._shift = 0
        self._last_dts: int | None = None
        self._step = 0

    def place(self, pts: int, dts: int, duration: int) -> Placed:
        """Return where a picture goes."""
        if self._first_pts is None:
            self._first_pts = pts
        moved = dts + self._shift
        if self._last_dts is not None:
            step = moved - self._last_dts
            if step < 0 or self._us(step) > _LONGEST_STEP_US:
                self._shift += (duration or self._step or 1) - step
                moved = dts + self._shift
            elif step > 0:
                self._step = step
        self._last_dts = moved
        shown = self._us(pts + self._shift - self._first_pts)
        return Placed(self._start_us + max(0, shown), moved, duration or self._step)

    def sound_us(self, media_us: int) -> int | None:
        """Return when sound of the file's time is heard; None before the first picture."""
        if self._first_pts is None:
            return None
        at_us = media_us + self._us(self._shift) - self._us(self._first_pts)
        return self._start_us + at_us if at_us >= 0 else None

    def _us(self, ticks: int) -> int:
        return ticks * 1_000_000 * self._numerator // self._denominator
