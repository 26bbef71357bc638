"""How an analytic runs: told when it changes, and each ten seconds."""

from omma_engine.inference.messages import HostNewsKind, StatusNews

_LOOK_EVERY_US = 2_000_000
_SAY_EVERY_US = 10_000_000
_WAITING_AFTER_US = 10_000_000
OVERLOADED = "overloaded: it looks less often than it should"


class Pulse:
    """Counts analysed pictures on a monotonic clock and tells the state they make."""

    def __init__(self, now_us: int) -> None:
        self._analysed = 0
        self._looked_us = now_us
        self._said_us = now_us
        self._last_picture_us = now_us
        self._has_begun = False
        self._failure = ""
        self._said: tuple[str, str] = ("", "")

    def analysed(self, now_us: int) -> None:
        """A picture was analysed."""
        self._analysed += 1
        self._last_picture_us = now_us
        self._has_begun = True
        self._failure = ""

    def failed(self, detail: str) -> None:
        """The model could not be loaded or run."""
        self._failure = detail[:300]

    def look(
        self, *, now_us: int, wall_us: int, dropped: int, is_overloaded: bool = False
    ) -> StatusNews | None:
        """Return the state if it is new, or due to be told again."""
        state = self._state(now_us)
        if is_overloaded and state[0] == "running":
            state = ("running", OVERLOADED)
        is_due = now_us - self._said_us >= _SAY_EVERY_US
        if state == self._said and not is_due:
            return None
        elapsed_us = max(1, now_us - self._looked_us)
        fps = self._analysed * 1e6 / elapsed_us if elapsed_us >= _LOOK_EVERY_US else 0.0
        if elapsed_us >= _LOOK_EVERY_US:
            self._analysed, self._looked_us = 0, now_us
        self._said, self._said_us = state, now_us
        return {
            "kind": HostNewsKind.STATUS,
            "status": state[0],
            "detail": state[1],
            "analysed_fps": round(fps, 2),
            "dropped": dropped,
            "at_us": wall_us,
        }

    def _state(self, now_us: int) -> tuple[str, str]:
        if self._failure:
            return "failed", self._failure
        if now_us - self._last_picture_us > _WAITING_AFTER_US:
            return "waiting", "no picture from the stream for 10 s"
        return ("running", "") if self._has_begun else ("waiting", "waiting for the first picture")
