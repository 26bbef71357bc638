"""One viewer of a live stream: what it shall still get, and how many messages it may be sent now."""

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from omma_engine.live.muxer import InitSegment, LiveFragment

MAX_CREDITS = 32
HELD_S = 2.0  # what waits longer is skipped, up to the newest keyframe
HELD_BYTES = 8 * 1024 * 1024  # fragments are shared by all viewers, so this is no memory of the viewer's own
JOINED_BYTES = 256 * 1024
CAPTURE_BYTES = 8


@dataclass(frozen=True, slots=True)
class Held:
    """A fragment, and when it was offered (monotonic seconds)."""

    fragment: LiveFragment
    since_s: float


class Viewer:
    """Used from one event loop. Fragments wait for credits; words and init segments do not."""

    def __init__(self) -> None:
        self._words: deque[str | bytes] = deque()
        self._held: deque[Held] = deque()
        self._held_bytes = 0
        self._credits = 0
        self._starved_since_s: float | None = None
        self._has_begun = False
        self._needs_keyframe = True
        self._skipped = 0
        self._changed = asyncio.Event()
        self.skipped_total = 0

    def say(self, message: dict[str, Any]) -> None:
        self._words.append(json.dumps(message))
        self._changed.set()

    def begin(self, init: InitSegment) -> None:
        """A new encoding: what was held belongs to the old one, and the player asks for credits anew.

        Credits that came before the first hello count: a client may grant them as soon as it is connected.
        """
        self._drop_held()
        self._skipped = 0
        if self._has_begun:
            self._credits = 0
        self._starved_since_s = None
        self._has_begun = True
        self._needs_keyframe = True
        self.say({"type": "hello", "codec": init.codec_string, "width": init.width, "height": init.height})
        self._words.append(bytes(CAPTURE_BYTES) + init.data)

    def offer(self, fragment: LiveFragment) -> None:
        if self._needs_keyframe and not fragment.is_keyframe:
            self._skipped += 1
            return
        self._needs_keyframe = False
        now_s = time.monotonic()
        if not self._credits and self._starved_since_s is None:
            self._starved_since_s = now_s
        self._held.append(Held(fragment, now_s))
        self._held_bytes += len(fragment.data)
        if self._is_behind():
            self._skip()
        self._changed.set()

    def grant(self, credit: int) -> None:
        self._credits = min(MAX_CREDITS, self._credits + credit)
        self._starved_since_s = None
        self._changed.set()

    @property
    def stalled_s(self) -> float:
        """For how long there has been something to send and no credit, whatever was skipped meanwhile."""
        return time.monotonic() - self._starved_since_s if self._starved_since_s is not None else 0.0

    async def next_message(self) -> str | bytes:
        """Wait for, and take, what is to be sent now: a word, an init segment, or all fragments that wait."""
        while not (self._words or (self._held and self._credits)):
            self._changed.clear()
            await self._changed.wait()
        if self._words:
            return self._words.popleft()
        if self._skipped:
            skipped, self._skipped = self._skipped, 0
            self.skipped_total += skipped
            return json.dumps({"type": "skipped", "fragments": skipped})
        self._credits -= 1
        return self._take_joined()

    def _take_joined(self) -> bytes:
        """Return what waits as one message, so that a slow line is not bound by its round trips."""
        first = self._held[0].fragment
        parts = [first.capture_us.to_bytes(CAPTURE_BYTES, "big")]
        size = 0
        while self._held and (len(parts) == 1 or size + len(self._held[0].fragment.data) <= JOINED_BYTES):
            data = self._held.popleft().fragment.data
            size += len(data)
            parts.append(data)
        self._held_bytes -= size
        return b"".join(parts)

    def _is_behind(self) -> bool:
        return self._held[-1].since_s - self._held[0].since_s > HELD_S or self._held_bytes > HELD_BYTES

    def _skip(self) -> None:
        """Go on with the newest keyframe that waits, or with the next one that comes."""
        places = [place for place, held in enumerate(self._held) if held.fragment.is_keyframe and place > 0]
        if not places:
            self._skipped += len(self._held)
            self._drop_held()
            self._needs_keyframe = True
            return
        for _ in range(places[-1]):
            self._held_bytes -= len(self._held.popleft().fragment.data)
        self._skipped += places[-1]

    def _drop_held(self) -> None:
        self._held.clear()
        self._held_bytes = 0
