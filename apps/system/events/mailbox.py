"""What one connection shall still get, bounded: detections give way, news never silently."""

import asyncio
from collections import deque

MAX_NEWS = 500
MAX_DETECTIONS = 64


class Mailbox:
    """Used from one event loop. News comes before detections."""

    def __init__(self) -> None:
        self._news: deque[str] = deque()
        self._detections: deque[str] = deque(maxlen=MAX_DETECTIONS)
        self._changed = asyncio.Event()
        self.is_overflown = False

    def put_news(self, text: str) -> None:
        """Add news; too much of it means that the client has to come back with its cursor."""
        if len(self._news) >= MAX_NEWS:
            self.is_overflown = True
        else:
            self._news.append(text)
        self._changed.set()

    def put_detection(self, text: str) -> None:
        """Add a detection; the oldest one gives way."""
        self._detections.append(text)
        self._changed.set()

    async def next_message(self) -> str | None:
        """Wait for the next message; None after an overflow."""
        while not (self._news or self._detections or self.is_overflown):
            self._changed.clear()
            await self._changed.wait()
        if self.is_overflown:
            return None
        return self._news.popleft() if self._news else self._detections.popleft()
