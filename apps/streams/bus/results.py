"""What inference found in a frame, on its way to whoever watches. Nothing of it is kept."""

import json
import logging
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from apps.streams.bus import secret_address
from apps.streams.bus.backoff import Backoff
from apps.streams.bus.connection import UNREACHABLE, open_client
from apps.streams.bus.wire import results_channel
from omma_engine.clock import Clock, SystemClock

logger = logging.getLogger(__name__)


class DetectionBox(TypedDict):
    """One object in one frame; `box` is x1 y1 x2 y2 in parts of the picture, 0 to 1.

    Where the model gives them: `outline` is a polygon, `keypoints` are x, y and how sure. `speed_kmh` is
    there where the analytic's ground plane is calibrated.
    """

    label: str
    confidence: float
    track: int | None
    box: list[float]
    outline: NotRequired[list[list[float]]]
    keypoints: NotRequired[list[list[float]]]
    speed_kmh: NotRequired[float]


class DetectionFrame(TypedDict):
    """What one analytic found in the frame that was taken at `capture_us`."""

    stream_id: str
    analytic_id: str
    capture_us: int
    width: int
    height: int
    motion: NotRequired[float]
    boxes: list[DetectionBox]
    counts: NotRequired[dict[str, int]]  # of an analytic that counts


def connect(url: str, *, clock: Clock | None = None) -> "BusResults":
    """Return the sending side, for a model host."""
    return BusResults(secret_address.find(url), clock=clock or SystemClock())


class BusResults:
    """Publishes detections from one thread; never raises, and tries a bus that is away once per back-off."""

    def __init__(self, url: str, *, clock: Clock) -> None:
        self._client = open_client(url, timeout_s=0.5)
        self._clock = clock
        self._backoff = Backoff()
        self._away_until_us = 0
        self.dropped = 0

    def publish(self, stream_id: UUID, message: Mapping[str, Any]) -> None:
        now_us = self._clock.monotonic_us()
        if now_us < self._away_until_us:
            self.dropped += 1
            return
        try:
            self._client.publish(results_channel(stream_id), json.dumps(message))
            self._backoff.reset()
        except UNREACHABLE as error:
            logger.debug("a result could not be sent: %s", error)
            self.dropped += 1
            self._away_until_us = now_us + int(self._backoff.next_s() * 1e6)

    def close(self) -> None:
        self._client.close()
