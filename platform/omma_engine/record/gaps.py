"""The gaps of one stream: every stretch that is not on disk is said, once, with its cause."""

from collections.abc import Callable
from typing import Any

from omma_engine.capture.messages import GapNews, NewsKind
from omma_engine.ids import uuid7
from omma_engine.types import GapCause

NewsSay = Callable[[Any], None]


class GapBook:
    """Keeps at most one gap open, and says when one opens or closes."""

    def __init__(self, stream_id: str, say: NewsSay) -> None:
        self._stream_id = stream_id
        self._say = say
        self._open: GapNews | None = None

    @property
    def is_open(self) -> bool:
        return self._open is not None

    def open(self, cause: GapCause, *, start_us: int, detail: str = "") -> None:
        """Open a gap, unless one is open: its first cause stands."""
        if self._open is None:
            self._open = self._gap(cause, start_us, None, detail)
            self._say(self._open)

    def close(self, end_us: int) -> None:
        """Close the open gap, where there is one."""
        if self._open is not None:
            opened, self._open = self._open, None
            closed = opened.copy()
            closed["end_us"] = max(end_us, opened["start_us"])
            self._say(closed)

    def note(self, cause: GapCause, *, start_us: int, end_us: int, detail: str = "") -> None:
        """Say a gap that is already over."""
        if end_us > start_us:
            self._say(self._gap(cause, start_us, end_us, detail))

    def _gap(self, cause: GapCause, start_us: int, end_us: int | None, detail: str) -> GapNews:
        return GapNews(
            kind=NewsKind.GAP,
            gap_id=str(uuid7(start_us // 1000)),
            stream_id=self._stream_id,
            start_us=start_us,
            end_us=end_us,
            cause=cause,
            detail=detail,
        )
