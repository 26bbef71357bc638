"""How long to wait before a source is tried again."""

import random

from omma_engine.errors import SourceAuthError, SourceError

_FIRST_S = 0.5
_MOST_S = 30.0
_AUTH_S = 30.0
_HOPELESS_S = 60.0
_HEALTHY_S = 60.0
_WORKED_S = 5.0


class Backoff:
    """Doubles from 0.5 to 30 s with jitter, and begins afresh after 60 s of health.

    A source that worked for five seconds is tried again at once, however long the waits were that it took to
    get there: a camera that hangs up every ten seconds loses half a second of them and not thirty. Refused
    credentials are not tried again within 30 s, so that the camera does not lock the account; what cannot
    work until somebody changes something waits a minute.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self._random = rng or random.Random()  # noqa: S311 (spreads reconnects, guards nothing)
        self._next_s = _FIRST_S
        self._has_worked = False

    def healthy_for(self, seconds: float) -> None:
        """Note for how long the source had given pictures when it broke."""
        self._has_worked = seconds >= _WORKED_S
        if seconds >= _HEALTHY_S:
            self._next_s = _FIRST_S

    def after(self, error: SourceError) -> float:
        """Return how many seconds to wait after this failure."""
        base_s = self._base_s()
        if isinstance(error, SourceAuthError):
            base_s = max(base_s, _AUTH_S)
        elif not error.is_retryable:
            base_s = _HOPELESS_S
        return base_s * self._random.uniform(1.0, 1.25)

    def _base_s(self) -> float:
        if self._has_worked:
            self._has_worked = False
            return _FIRST_S
        base_s = self._next_s
        self._next_s = min(_MOST_S, base_s * 2)
        return base_s
