"""From media timestamps to capture times in UTC, continuous and bounded in error.

A timeline maps media time to wall time by one offset. The offset moves towards its target by a small slope,
so that the time between two frames is never bent by more than the slope says, and jumps only where a new
segment begins. All values are integers in microseconds.

The bound on the error. By sender reports: what is left to slew, and a millisecond; it is against the camera's
own clock, and `camera_offset_us` says how far that is from ours. By arrivals: what is left to slew, how much
the least delays vary, and what no arrival can tell: a camera needs about as long as a picture lasts to take
and send it, and one that sends in bursts holds the last picture back for as long as a burst.
"""

from collections import deque
from typing import NamedTuple

from omma_engine.timing.envelope import SLOPE_PPM, DelayEnvelope
from omma_engine.types import ClockSource

_PLAUSIBLE_US = 5_000_000
"""A camera clock that disagrees by more is noted and not believed."""
_REPORT_SLOPE_PPM = 5_000
_REPORT_FINE_US = 20_000
_REPORT_ERROR_US = 1_000
_RESYNC_US = 900_000
_AHEAD_US = 5_000_000
_BACKWARD_US = -1_000_000
_JUMPS_BEFORE_DISTRUST = 5
_JUMP_MEMORY_US = 60_000_000
_MIN_STEP_US = 100
_DISTRUSTED_ERROR_US = 250_000
_LEAST_INTERVAL_US = 10_000
_MOST_INTERVAL_US = 1_000_000
_BURST_US = 500_000
_FROZEN_STEP_US = 1_000
_FROZEN_US = 300_000
_FROZEN_PICTURES = 5


class Arrival(NamedTuple):
    """What is known about one packet when it has come: its media times and when it came.

    `reported_us` is the camera's own capture time of the picture, where a sender report came with it.
    """

    pts_us: int
    dts_us: int
    arrival_us: int
    reported_us: int | None = None


class Timeline:
    """Gives every packet of one stream its capture time. One thread.

    Call `observe` for every packet in decoding order and then `capture_us` for it. Packets that came in a
    burst at the start may all be observed before the first is stamped, so that the smallest delay counts for
    all.
    """

    def __init__(self, window_us: int = 3_000_000, *, not_before_us: int = 0) -> None:
        """`window_us` is the envelope's; nothing is stamped earlier than just after `not_before_us`."""
        self._window_us = window_us
        self._jumps: deque[int] = deque(maxlen=_JUMPS_BEFORE_DISTRUST)
        self._frozen_since_us = self._frozen_pictures = 0
        self._last: Arrival | None = None
        self._latest_us = not_before_us
        self.camera_offset_us = 0
        """How far the camera's clock is from ours, as of its last report."""
        self._begin_run()

    def _begin_run(self) -> None:
        self._envelope = DelayEnvelope(self._window_us)
        self._transport = DelayEnvelope(self._window_us)
        self._has_reordering = False
        self._interval_us = _LEAST_INTERVAL_US
        self._offset_us: int | None = None
        self._slewed_to_us = 0
        self._report_offset_us: int | None = None
        self._is_adrift = False

    @property
    def clock(self) -> ClockSource:
        """Return where the time of the latest packet comes from."""
        return ClockSource.ARRIVAL if self._report_offset_us is None else ClockSource.RTCP

    @property
    def latest_us(self) -> int:
        """Return the latest capture time given out."""
        return self._latest_us

    @property
    def is_distrusted(self) -> bool:
        """Return whether media timestamps jump so often that packets are stamped with their arrival."""
        return len(self._jumps) == _JUMPS_BEFORE_DISTRUST

    @property
    def error_us(self) -> int:
        """Return the bound on the error of the latest capture time."""
        if self.is_distrusted:
            return self._arrival_error_us() + _DISTRUSTED_ERROR_US
        residual_us = abs((self._offset_us or 0) - self._target_us()) if self._offset_us is not None else 0
        if self._report_offset_us is not None:
            return residual_us + _REPORT_ERROR_US
        return residual_us + self._arrival_error_us()

    def _arrival_error_us(self) -> int:
        transport = self._transport if self._has_reordering else self._envelope
        burst_us = transport.pause_us if transport.pause_us > _BURST_US else 0
        return transport.spread_us + self._interval_us + burst_us

    def observe(self, arrival: Arrival) -> bool:
        """Take one packet, and return whether a new segment must begin with it."""
        jumped = self._has_jumped(arrival)
        if jumped and not self.is_distrusted:
            self._begin_run()
        elif self._last is not None and arrival.dts_us > self._last.dts_us:
            step_us = min(_MOST_INTERVAL_US, arrival.dts_us - self._last.dts_us)
            self._interval_us += (max(_LEAST_INTERVAL_US, step_us) - self._interval_us) >> 2
        self._last = arrival
        self._envelope.observe(arrival.pts_us, arrival.arrival_us)
        if self._has_reordering or arrival.dts_us != arrival.pts_us:
            # Reordered pictures come late by design: how much the transport varies shows in decoding times.
            self._has_reordering = True
            self._transport.observe(arrival.dts_us, arrival.arrival_us)
        if arrival.reported_us is not None:
            self._take_report(arrival, arrival.reported_us)
        return jumped

    def capture_us(self, arrival: Arrival) -> int:
        """Return the capture time of a packet that was observed; times increase with `pts`."""
        if self.is_distrusted:
            return self._advance(arrival.arrival_us)
        self._slew(arrival.pts_us)
        assert self._offset_us is not None  # noqa: S101 (set by _slew)
        return arrival.pts_us + self._offset_us

    def sound_us(self, media_us: int, arrival_us: int) -> int:
        """Return the capture time of sound at this media time; the pictures alone move the timeline."""
        if self.is_distrusted or self._offset_us is None:
            return arrival_us
        return media_us + self._offset_us

    def _advance(self, wanted_us: int) -> int:
        self._latest_us = max(self._latest_us + _MIN_STEP_US, wanted_us)
        return self._latest_us

    def _target_us(self) -> int:
        if self._report_offset_us is None:
            return self._envelope.floor_us
        return min(self._report_offset_us, self._envelope.floor_us)

    def _slew(self, pts_us: int) -> None:
        target_us = self._target_us()
        if self._offset_us is None:
            # A run never begins before the end of the one before: two frames would claim the same time.
            first_us = pts_us + target_us
            self._offset_us = target_us + max(0, self._latest_us + _MIN_STEP_US - first_us)
            self._slewed_to_us = pts_us
        elapsed_us = pts_us - self._slewed_to_us
        if elapsed_us > 0:
            self._slewed_to_us = pts_us
            step_us = elapsed_us * self._slope_ppm(target_us) // 1_000_000
            self._offset_us += max(-step_us, min(step_us, target_us - self._offset_us))
        self._latest_us = max(self._latest_us, pts_us + self._offset_us)

    def _slope_ppm(self, target_us: int) -> int:
        residual_us = abs(target_us - (self._offset_us or 0))
        has_report = self._report_offset_us is not None
        return _REPORT_SLOPE_PPM if has_report and residual_us > _REPORT_FINE_US else SLOPE_PPM

    def _take_report(self, arrival: Arrival, reported_us: int) -> None:
        offset_us = reported_us - arrival.pts_us
        self.camera_offset_us = offset_us - self._envelope.floor_us
        is_plausible = abs(self.camera_offset_us) <= _PLAUSIBLE_US
        self._report_offset_us = offset_us if is_plausible else None
        # Report and arrival together: the media clock runs slow, and the way of the packets is not to blame.
        late_us = arrival.arrival_us - arrival.pts_us - self._envelope.floor_us
        is_later = self._offset_us is not None and offset_us - self._offset_us > _RESYNC_US
        self._is_adrift = is_plausible and is_later and late_us > _RESYNC_US // 2

    def _has_jumped(self, arrival: Arrival) -> bool:
        """Return whether this packet's timestamp does not continue the run, and remember when that was."""
        last = self._last
        if last is None:
            return False
        step_us = arrival.dts_us - last.dts_us
        elapsed_us = arrival.arrival_us - last.arrival_us
        if not self.is_distrusted and self._is_frozen(step_us, arrival.arrival_us):
            self._jumps.extend([arrival.arrival_us] * _JUMPS_BEFORE_DISTRUST)
            return True
        jumped = (
            step_us > elapsed_us + _AHEAD_US
            or step_us < _BACKWARD_US
            or self._ahead_us(arrival) > _RESYNC_US
            or self._has_drifted()
        )
        while self._jumps and arrival.arrival_us - self._jumps[0] > _JUMP_MEMORY_US:
            self._jumps.popleft()
        if jumped and not self.is_distrusted:
            self._jumps.append(arrival.arrival_us)
        return jumped and not self.is_distrusted

    def _is_frozen(self, step_us: int, arrival_us: int) -> bool:
        """Return whether pictures have been coming for a while without a step of their clock."""
        if abs(step_us) >= _FROZEN_STEP_US:
            self._frozen_pictures = 0
            return False
        if self._frozen_pictures == 0:
            self._frozen_since_us = arrival_us
        self._frozen_pictures += 1
        return self._frozen_pictures >= _FROZEN_PICTURES and arrival_us - self._frozen_since_us >= _FROZEN_US

    def _ahead_us(self, arrival: Arrival) -> int:
        """Return by how much a picture would be taken after it came, were the run to go on with it."""
        return 0 if self._offset_us is None else arrival.pts_us + self._offset_us - arrival.arrival_us

    def _has_drifted(self) -> bool:
        if self._offset_us is None:
            return False
        if self._report_offset_us is not None:
            return self._is_adrift
        return (
            abs(self._envelope.floor_us - self._offset_us) > _RESYNC_US
            or self._envelope.risen_us > _RESYNC_US
        )
