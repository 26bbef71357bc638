"""Steps of the machine's own clock."""

_STEP_US = 1_000_000


class WallClockWatch:
    """Tells when the wall clock was set: it moved against the monotonic clock by more than one second.

    Slewing (NTP at 500 ppm) is followed and never reported.
    """

    def __init__(self) -> None:
        self._offset_us: int | None = None

    def stepped(self, *, now_us: int, monotonic_us: int) -> bool:
        """Take one reading of both clocks, and return whether the wall clock stepped since the last one."""
        offset_us = now_us - monotonic_us
        last_us, self._offset_us = self._offset_us, offset_us
        return last_us is not None and abs(offset_us - last_us) > _STEP_US
