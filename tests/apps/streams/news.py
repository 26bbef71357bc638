"""News as capture children tell them, with as few words as possible. Times are seconds after `START`."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from apps.core.models import Lease
from apps.core.times import from_us, to_us
from apps.streams.models import Stream, Volume
from omma_engine.ids import segment_id, uuid7
from omma_engine.ports import NewsItem
from tests.clocks import START

INIT_BYTES = 800
FRAGMENT_BYTES = 1000


def at(seconds: float) -> Any:
    """Return the aware time so many seconds after the start."""
    return START + timedelta(seconds=seconds)


def us(seconds: float) -> int:
    return to_us(at(seconds))


@dataclass
class Life:
    """One life of a child: numbers its news, and knows its segments."""

    stream: Stream
    volume: Volume
    epoch: int
    sequence: int = 0
    segments: dict[int, float] = field(default_factory=dict)

    def opens(self, number: int, start: float, *, is_transient: bool = False) -> NewsItem:
        self.segments[number] = start
        return self._item(
            kind="segment_open",
            segment_id=self.id_of(number),
            stream_id=str(self.stream.id),
            epoch=self.epoch,
            sequence=number,
            start_us=us(start),
            start_ticks=0,
            time_base=[1, 90_000],
            rate_ppm=0.0,
            clock="arrival",
            error_us=40_000,
            volume_id=str(self.volume.id),
            path=f"segments/{self.stream.id}/20260302/{us(start)}-{self.epoch}-{number}.mp4",
            codec="h264",
            width=640,
            height=360,
            has_audio=False,
            init_size=INIT_BYTES,
            is_transient=is_transient,
        )

    def grows(self, number: int, first: int, last: int) -> NewsItem:
        """Tell the one-second fragments `first` to `last` (exclusive)."""
        return self._item(
            kind="segment_progress",
            segment_id=self.id_of(number),
            durable_bytes=INIT_BYTES + last * FRAGMENT_BYTES,
            end_us=us(self.segments[number] + last),
            error_us=30_000,
            clock="rtcp",
            fragments=[
                [one * 1_000_000, 1_000_000, INIT_BYTES + one * FRAGMENT_BYTES, FRAGMENT_BYTES, 1]
                for one in range(first, last)
            ],
        )

    def closes(self, number: int, seconds: int, *, state: str = "closed") -> NewsItem:
        return self._item(
            kind="segment_close",
            segment_id=self.id_of(number),
            durable_bytes=INIT_BYTES + seconds * FRAGMENT_BYTES,
            end_us=us(self.segments[number] + seconds),
            sha256="ab" * 32,
            state=state,
            is_damaged=False,
        )

    def whole(self, number: int, start: float, seconds: int) -> list[NewsItem]:
        """Return all news of one segment."""
        return [self.opens(number, start), self.grows(number, 0, seconds), self.closes(number, seconds)]

    def gap(self, start: float, end: float | None, cause: str = "network", gap_id: str = "") -> NewsItem:
        return self._item(
            kind="gap",
            gap_id=gap_id or str(uuid7(us(start) // 1000)),
            stream_id=str(self.stream.id),
            start_us=us(start),
            end_us=None if end is None else us(end),
            cause=cause,
            detail="",
        )

    def state(self, state: str, seconds: float, **found: Any) -> NewsItem:
        return self._item(
            kind="state",
            source_id=str(self.stream.source_id),
            state=state,
            code=found.pop("code", ""),
            detail=found.pop("detail", ""),
            at_us=us(seconds),
            **found,
        )

    def id_of(self, number: int) -> str:
        start_us = us(self.segments[number])
        return str(segment_id(stream_id=self.stream.id, epoch=self.epoch, sequence=number, start_us=start_us))

    def _item(self, **payload: Any) -> NewsItem:
        self.sequence += 1
        return NewsItem(self.stream.source_id, self.epoch, self.sequence, payload)


def own(stream: Stream, block: int) -> None:
    """Say that this block owns the stream's source now."""
    Lease.objects.update_or_create(
        object_id=stream.source_id, defaults={"kind": "source", "owner": "worker", "epoch": block << 20}
    )


__all__ = ["FRAGMENT_BYTES", "INIT_BYTES", "Life", "at", "from_us", "own", "us"]
