"""What one analytic saw, minute by minute."""

from dataclasses import dataclass, field

from omma_engine.inference.messages import HostNewsKind, MinuteNews
from omma_engine.track.lives import NumberedBox

_MINUTE_US = 60_000_000


@dataclass(slots=True)
class MinuteBook:
    """Gathers one minute and gives it away when the next begins; minutes without a picture are absent."""

    _minute_us: int | None = None
    _motion: float = 0.0
    _numbers: dict[str, set[int]] = field(default_factory=dict)

    def note(self, boxes: list[NumberedBox], *, heat: float, at_us: int) -> MinuteNews | None:
        """Take one frame; return the minute before when this frame begins a new one."""
        minute_us = at_us // _MINUTE_US * _MINUTE_US
        finished = self.close() if self._minute_us not in {None, minute_us} else None
        self._minute_us = minute_us
        self._motion = max(self._motion, heat)
        for box in boxes:
            if box.track is not None:
                self._numbers.setdefault(box.track.label, set()).add(box.track.number)
        return finished

    def close(self) -> MinuteNews | None:
        """Return what was gathered, if anything, and begin anew."""
        if self._minute_us is None:
            return None
        news: MinuteNews = {
            "kind": HostNewsKind.MINUTE,
            "minute_us": self._minute_us,
            "motion": round(self._motion, 4),
            "labels": {label: len(numbers) for label, numbers in sorted(self._numbers.items())},
        }
        self._minute_us, self._motion, self._numbers = None, 0.0, {}
        return news
