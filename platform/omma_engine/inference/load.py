"""More to analyse than there is time for: all streams are looked at less often, before pictures are lost."""

from omma_engine.clock import Clock

_WINDOW_US = 2_000_000
_BUSY = 0.8
_IDLE = 0.65
_LESS, _MORE = 0.7, 1.25
_LEAST_SHARE = 0.1


class LoadControl:
    """Says at what share of their rates streams are looked at. One thread."""

    def __init__(self, clock: Clock) -> None:
        self.share = 1.0
        self._clock = clock
        self._began_us: int | None = None
        self._busy_us = 0
        self._looked_us = clock.monotonic_us()
        self._dropped = 0

    @property
    def is_overloaded(self) -> bool:
        return self.share < 1.0

    def begin(self) -> None:
        """Work begins."""
        self._began_us = self._clock.monotonic_us()

    def end(self) -> None:
        """The work that was begun is done."""
        if self._began_us is not None:
            self._busy_us += self._clock.monotonic_us() - self._began_us
            self._began_us = None

    def look(self, *, dropped: int) -> bool:
        """Decide anew, each two seconds, from all pictures dropped so far; return whether it changed."""
        now_us = self._clock.monotonic_us()
        elapsed_us = now_us - self._looked_us
        if elapsed_us < _WINDOW_US:
            return False
        before, busy = self.share, self._busy_us / elapsed_us
        if dropped > self._dropped and busy >= _BUSY:
            self.share = max(_LEAST_SHARE, self.share * _LESS)
        elif dropped <= self._dropped and busy < _IDLE:
            self.share = min(1.0, self.share * _MORE)
        self._looked_us, self._busy_us, self._dropped = now_us, 0, dropped
        return self.share != before
