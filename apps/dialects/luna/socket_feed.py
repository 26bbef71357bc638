"""What Luna's sockets are told: one reader of news and of detections per web process, for all of them."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.conf import settings

from apps.core.outbox import OutboxRow
from apps.core.outbox_following import OutboxFollower
from apps.dialects.luna.crowds import Teller, crowd_body, detections_body
from apps.streams.life_log import STATUS_NEWS
from apps.system.events.detections import DetectionFeed
from apps.system.events.mailbox import Mailbox

RESULT_NEWS = "analytic.result"


class Subscription:
    """One socket: the analytic that it is about, how its stream is, and what it shall still get."""

    def __init__(self, teller: Teller, *, is_counting: bool) -> None:
        self.teller = teller
        self.is_counting = is_counting
        self.mailbox = Mailbox()
        self.status = ""
        self.error: str | None = None

    def begin(self, status: str, error: str | None) -> None:
        """Say first how the stream is."""
        self.status, self.error = status, error
        self.mailbox.put_news(self._message({}))

    def take(self, row: OutboxRow) -> None:
        """Take news of its stream. Before it has begun, what the stream is now is yet to be read."""
        if not self.status:
            return
        if row.kind == STATUS_NEWS:
            self._take_status(row.payload)
        elif row.subject_id == self.teller.analytic_id:
            self.mailbox.put_news(self._message(crowd_body(row.payload, self.teller)))

    def take_frame(self, frame: dict[str, Any]) -> None:
        """Take what was found in a picture; pictures give way when the client is slow."""
        is_own = frame.get("analytic_id") == str(self.teller.analytic_id)
        if self.status and is_own and frame["boxes"]:
            self.mailbox.put_detection(self._message(detections_body(frame, self.teller)))

    def _take_status(self, news: dict[str, Any]) -> None:
        if news["analytic_index"] not in {None, self.teller.index}:
            return
        self.status, self.error = news["status"], news["error"] or None
        self.mailbox.put_news(self._message({}))

    def _message(self, results: dict[str, Any]) -> str:
        return json.dumps({"stream_status": self.status, "error": self.error, "analytics_results": results})


class SocketFeed(OutboxFollower):
    """Hands news to the sockets of the stream that it is about."""

    def __init__(self, bus_url: str) -> None:
        super().__init__("omma luna socket")
        self._bus_url = bus_url
        self._by_stream: dict[UUID, set[Subscription]] = {}
        self._has_frames = False

    async def join(self, subscription: Subscription) -> None:
        await self.start()
        if not subscription.is_counting and not self._has_frames:
            self._has_frames = True
            self.run_beside(DetectionFeed(self._bus_url, self._take_frame).run())
        self._by_stream.setdefault(subscription.teller.stream_id, set()).add(subscription)

    async def leave(self, subscription: Subscription) -> None:
        stream_id = subscription.teller.stream_id
        left = self._by_stream.get(stream_id, set())
        left.discard(subscription)
        if not left:
            self._by_stream.pop(stream_id, None)
        if not self._by_stream:
            await self.close()

    async def close(self) -> None:
        self._has_frames = False
        await super().close()

    async def hand_out(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            if row.kind not in {STATUS_NEWS, RESULT_NEWS}:
                continue
            for subscription in self._by_stream.get(UUID(row.payload["stream_id"]), ()):
                subscription.take(row)

    async def _take_frame(self, stream_id: UUID, text: str) -> None:
        interested = [one for one in self._by_stream.get(stream_id, ()) if not one.is_counting]
        if interested:
            frame = json.loads(text)
            for subscription in interested:
                subscription.take_frame(frame)


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, SocketFeed] = WeakKeyDictionary()


def socket_feed() -> SocketFeed:
    """Return the feed of the running event loop; a web process has one loop, and so one reader."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        _by_loop[loop] = SocketFeed(settings.BUS_URL)
    return _by_loop[loop]
