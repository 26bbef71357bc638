"""The minimum-delay envelope: what the arrival of packets tells about the time they were captured.

A packet can come late but never early, so the smallest `arrival - media time` seen is the best estimate of
where the media clock stands on ours. The estimate falls at once and rises by at most 500 ppm, the largest
rate error that a camera's crystal is credited with. Integers only, all in microseconds.

How sure the estimate is, the least delayed packets tell, one of each quarter of a second. The others may have
waited where nobody looked: in the kernel, while the reader paused.
"""

SLOPE_PPM = 500
_ROUND_US = 250_000


class DelayEnvelope:
    """Follows the lower edge of `arrival - media` of one stream.

    `window_us` must be longer than the pauses between bursts of the transport: a rise that lasts two windows
    is reported by `risen_us`, because at 500 ppm the envelope alone would take hours to follow it.
    """

    def __init__(self, window_us: int = 3_000_000) -> None:
        self._window_us = window_us
        self._floor_us: int | None = None
        self._media_us = 0
        self._spread_us = 0
        self._round_start_us = self._round_min_us = self._round_end_us = 0
        self._pause_us = 0
        self._window_start_us = 0
        self._window_min_us = 0
        self._last_window_min_us: int | None = None

    @property
    def floor_us(self) -> int:
        """Return the wall clock time of media time zero."""
        return self._floor_us or 0

    @property
    def spread_us(self) -> int:
        """Return the running mean of how much later than the floor the least delayed packets come."""
        return self._spread_us

    @property
    def pause_us(self) -> int:
        """Return how long the transport pauses between two rounds of packets; the longest counts most."""
        return self._pause_us

    @property
    def risen_us(self) -> int:
        """Return by how much every packet of the last whole window came later than the floor."""
        if self._last_window_min_us is None or self._floor_us is None:
            return 0
        return self._last_window_min_us - self._floor_us

    def observe(self, media_us: int, arrival_us: int) -> None:
        """Take one packet's media time and its arrival on the wall clock."""
        delay_us = arrival_us - media_us
        if self._floor_us is None:
            self._floor_us = self._window_min_us = delay_us
            self._window_start_us = arrival_us
            self._begin_round(delay_us, arrival_us)
        elapsed_us = max(0, media_us - self._media_us)
        self._media_us = max(self._media_us, media_us)
        self._floor_us = min(delay_us, self._floor_us + elapsed_us * SLOPE_PPM // 1_000_000)
        if arrival_us - self._round_start_us >= _ROUND_US:
            self._end_round(self._floor_us)
            self._pause_us = max(arrival_us - self._round_end_us, self._pause_us - (self._pause_us >> 4))
            self._begin_round(delay_us, arrival_us)
        else:
            self._round_min_us = min(self._round_min_us, delay_us)
        self._round_end_us = arrival_us
        self._roll_window(delay_us, arrival_us)

    def _begin_round(self, delay_us: int, arrival_us: int) -> None:
        self._round_start_us = self._round_end_us = arrival_us
        self._round_min_us = delay_us

    def _end_round(self, floor_us: int) -> None:
        self._spread_us += (max(0, self._round_min_us - floor_us) - self._spread_us) >> 3

    def _roll_window(self, delay_us: int, arrival_us: int) -> None:
        if arrival_us - self._window_start_us >= self._window_us:
            self._last_window_min_us = self._window_min_us
            self._window_start_us, self._window_min_us = arrival_us, delay_us
        else:
            self._window_min_us = min(self._window_min_us, delay_us)
