"""When an analytic looks: at its rate where something happens, and rarely where nothing does."""

from collections.abc import Iterable

from omma_engine.inference.frames import PictureToAnalyse
from omma_engine.inference.spec import AnalyticSpec
from omma_engine.track.lives import LiveTrack

STILL_FROM_S = 10.0  # who stood so long is likely to go on standing
PATIENCE_S = 16.0  # a thing that stands still is missed three times before it is gone
CLOCK_STEP_US = 1_000_000
_QUIET_LOOK_US = 10_000_000  # how often a detector without memory looks at a quiet scene
_STILL_LOOK_US = 5_000_000  # the same where something stands still in it


class Attention:
    """Decides for one analytic, from its tracks and what its stream's gate says."""

    def __init__(self, spec: AnalyticSpec) -> None:
        self._spec = spec
        self.looked_us = 0

    def wants(self, picture: PictureToAnalyse, tracks: Iterable[LiveTrack]) -> bool:
        """Tell whether this picture is due, at this analytic's rate and for its kind of detector."""
        elapsed_us = picture.capture_us - self.looked_us
        if elapsed_us < -CLOCK_STEP_US:
            return True
        if elapsed_us < 0.95e6 / self._spec.rate_fps:
            return False
        live = list(tracks)
        if self._spec.model.has_memory or not picture.is_quiet or self.follows(live):
            return True
        return elapsed_us >= self._rare_us(is_watched=bool(live))

    def follows(self, tracks: Iterable[LiveTrack]) -> bool:
        """Tell whether something moves, or was missed when we looked last: then everything is wanted."""
        if self._spec.model.has_memory:
            return bool(list(tracks))
        return any(not self.is_still(track) or track.last_us < self.looked_us for track in tracks)

    def is_still(self, track: LiveTrack) -> bool:
        return track.course.still_s(self.looked_us) >= STILL_FROM_S

    def patience_s(self, tracks: Iterable[LiveTrack]) -> float:
        """Return how long tracks may go unseen while some of them stand still; 0 is the tracker's own."""
        return PATIENCE_S if any(map(self.is_still, tracks)) else 0.0

    def _rare_us(self, *, is_watched: bool) -> float:
        rare_us = _STILL_LOOK_US if is_watched else _QUIET_LOOK_US
        counting = self._spec.counting
        return min(rare_us, counting.period_s * 1e6) if counting else rare_us
