"""Segment rows out of children's news: opened, grown and closed, each exactly once however often told."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from apps.core.times import from_us, to_us
from apps.streams.coverage import (
    fragments_before,
    longer_footage_from,
    newer_footage_from,
    older_footage_below,
)
from apps.streams.models import Segment, SegmentState, Stream
from omma_engine.capture.messages import NewsKind

logger = logging.getLogger(__name__)

_SEGMENT_KINDS = {NewsKind.SEGMENT_OPEN, NewsKind.SEGMENT_PROGRESS, NewsKind.SEGMENT_CLOSE}
_FINISHED = {SegmentState.CLOSED, SegmentState.RECOVERED, SegmentState.GARBAGE}

# The fragments are appended where they lie: the row does not travel to be changed.
_GROW = """
UPDATE streams_segment
SET fragments = fragments || %(fragments)s::jsonb, durable_bytes = %(durable_bytes)s, "end" = %(end)s,
    error_us = %(error_us)s, clock = %(clock)s, state = %(state)s, sha256 = %(sha256)s,
    is_damaged = %(is_damaged)s, damaged_pictures = %(damaged_pictures)s,
    camera_offset_us = %(camera_offset_us)s
WHERE id = %(id)s AND durable_bytes <= %(durable_bytes)s
"""


@dataclass(slots=True)
class _Change:
    """A segment as it will be, and what of it is new."""

    row: Segment
    is_new: bool
    is_touched: bool = False
    fragments: list[list[int]] = field(default_factory=list)


class SegmentKeeper:
    """The segments of one batch of news."""

    def __init__(self, streams: Mapping[UUID, Stream], *, is_fill: bool) -> None:
        self._streams = streams
        self._is_fill = is_fill
        self._changes: dict[UUID, _Change] = {}

    def load(self, payloads: Iterable[Mapping[str, Any]]) -> None:
        """Read and lock the rows that these news are about, without their fragments."""
        ids = {UUID(each["segment_id"]) for each in payloads if each.get("kind") in _SEGMENT_KINDS}
        if not ids:
            return
        rows = Segment.objects.filter(id__in=ids).defer("fragments").order_by("id").select_for_update()
        self._changes = {row.id: _Change(row, is_new=False) for row in rows}

    def open(self, news: Mapping[str, Any]) -> bool:
        """Begin a segment; False where it is known already, or its stream is gone."""
        segment_id, stream = UUID(news["segment_id"]), self._streams.get(UUID(news["stream_id"]))
        if segment_id in self._changes or stream is None:
            return False
        start = from_us(news["start_us"])
        row = Segment(
            id=segment_id,
            account_id=stream.account_id,
            camera_id=stream.camera_id,
            stream_id=stream.id,
            volume_id=UUID(news["volume_id"]),
            epoch=news["epoch"],
            sequence=news["sequence"],
            start=start,
            end=start,
            start_ticks=news["start_ticks"],
            time_base_num=news["time_base"][0],
            time_base_den=news["time_base"][1],
            rate_ppm=news["rate_ppm"],
            clock=news["clock"],
            error_us=news["error_us"],
            is_transient=news["is_transient"],
            path=news["path"],
            codec=news["codec"],
            width=news["width"],
            height=news["height"],
            has_audio=news["has_audio"],
            init_size=news["init_size"],
        )
        self._changes[segment_id] = _Change(row, is_new=True, is_touched=True)
        return True

    def progress(self, news: Mapping[str, Any]) -> None:
        """Take more durable bytes; what is known already changes nothing."""
        change = self._changes.get(UUID(news["segment_id"]))
        if change is None or change.row.state in _FINISHED:
            return
        row = change.row
        if news["durable_bytes"] <= row.durable_bytes:
            return
        change.fragments += [one for one in news["fragments"] if one[2] + one[3] > row.durable_bytes]
        row.durable_bytes = news["durable_bytes"]
        row.end = max(row.end, from_us(news["end_us"]))
        row.error_us, row.clock = news["error_us"], news["clock"]
        change.is_touched = True

    def close(self, news: Mapping[str, Any]) -> None:
        """Finish a segment."""
        change = self._changes.get(UUID(news["segment_id"]))
        if change is None or change.row.state in _FINISHED:
            return
        row = change.row
        row.durable_bytes = max(row.durable_bytes, news["durable_bytes"])
        row.end = max(row.end, from_us(news["end_us"]))
        row.state, row.sha256, row.is_damaged = news["state"], news["sha256"], news["is_damaged"]
        row.damaged_pictures = news.get("damaged_pictures", 0)
        row.camera_offset_us = news.get("camera_offset_us", 0)
        change.is_touched = True

    def save(self) -> None:
        """Write what changed; old news are cut to what nothing newer covers."""
        touched = [change for change in self._changes.values() if change.is_touched]
        if self._is_fill:
            touched = [change for change in touched if _cut_to_free(change)]
        new = [change for change in touched if change.is_new]
        for change in new:
            change.row.fragments = change.fragments
        Segment.objects.bulk_create([change.row for change in new], ignore_conflicts=True)
        for change in touched:
            if not change.is_new:
                _grow(change)
        _cut_older([change.row for change in touched])

    def grown(self) -> list[Segment]:
        """Return the segments of which more is known now."""
        rows = [change.row for change in self._changes.values() if change.is_touched]
        return [row for row in rows if row.end > row.start]

    def late_ranges(self) -> list[tuple[UUID, int, int]]:
        """Return (stream, start, end) of footage that may lie in time already explained as a gap."""
        return [
            (change.row.stream_id, to_us(change.row.start), to_us(change.row.end))
            for change in self._changes.values()
            if change.is_touched
            and change.row.end > change.row.start
            and (self._is_fill or change.row.state == SegmentState.RECOVERED)
        ]


def _grow(change: _Change) -> None:
    row = change.row
    with connection.cursor() as cursor:
        cursor.execute(
            _GROW,
            {
                "id": row.id,
                "fragments": json.dumps(change.fragments),
                "durable_bytes": row.durable_bytes,
                "end": row.end,
                "error_us": row.error_us,
                "clock": row.clock,
                "state": row.state,
                "sha256": row.sha256,
                "is_damaged": row.is_damaged,
                "damaged_pictures": row.damaged_pictures,
                "camera_offset_us": row.camera_offset_us,
            },
        )


def _cut_to_free(change: _Change) -> bool:
    """Keep the fragments before the first that other footage covers; False where none is left.

    That is newer footage, or older that goes on for longer: of a file, only the end can be left out.
    """
    row = change.row
    limits_us = [
        newer_footage_from(row.stream_id, row.start, row.end, row.epoch),
        longer_footage_from(row.stream_id, row.start, row.end, row.epoch),
    ]
    limit_us = min((limit for limit in limits_us if limit is not None), default=None)
    if limit_us is None:
        return True
    if not change.is_new:
        row.refresh_from_db(fields=["fragments"])
    run = fragments_before(
        [*([] if change.is_new else row.fragments), *change.fragments], to_us(row.start), limit_us
    )
    if change.is_new and not run:
        logger.info("segment %s is covered by a newer one", row.path)
        return False
    _keep_run(change, run, limit_us)
    return True


def _keep_run(change: _Change, run: list[list[int]], limit_us: int) -> None:
    """Cut the row to a run: the file stays whole, and readers see the run only."""
    row = change.row
    row.end, row.durable_bytes = _bounds_of_run(row, run, limit_us)
    row.sha256 = ""  # the file's hash is not the hash of what is kept of it
    change.fragments = run
    if not change.is_new:
        Segment.objects.filter(id=row.id).update(fragments=[], durable_bytes=0)


def _bounds_of_run(row: Segment, run: list[list[int]], limit_us: int) -> tuple[datetime, int]:
    if not run:
        return row.start, row.init_size
    end_us = min(to_us(row.start) + run[-1][0] + run[-1][1], limit_us)
    return from_us(end_us), run[-1][2] + run[-1][3]


def _cut_older(rows: Sequence[Segment]) -> None:
    """Cut what older owners recorded in the time of these segments to where they begin.

    A hand-over overlaps, a cut-off worker goes on, and either's news may come first.
    """
    for newer, older in older_footage_below(rows):
        limit_us = to_us(newer.start)
        run = fragments_before(older.fragments, to_us(older.start), limit_us)
        if not run:
            Segment.objects.filter(id=older.id).update(state=SegmentState.GARBAGE)
            continue
        end, durable_bytes = _bounds_of_run(older, run, limit_us)
        Segment.objects.filter(id=older.id).update(
            end=end, durable_bytes=durable_bytes, fragments=run, sha256=""
        )
