"""Children's news become rows: fenced, in one transaction for all children, and harmless when repeated."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import (
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
    connection,
    transaction,
)

from apps.core.lease_statements import FENCE, HOLD_BRIEFLY
from apps.streams.gap_news import GapKeeper
from apps.streams.models import Stream
from apps.streams.segment_news import SegmentKeeper
from apps.streams.state_news import apply_state
from apps.streams.volume_failures import note_failure
from omma_engine.capture.messages import NewsKind
from omma_engine.ports import NewsItem

logger = logging.getLogger(__name__)

BLOCK_BITS = 20


class CaptureSink:
    """The `NewsSink` of capture, and what fills holes with the news of older epochs.

    Uses the calling thread's Django connection, and closes it when the database goes away.
    """

    def commit(self, items: Iterable[NewsItem]) -> set[UUID]:
        """Commit what the fence lets through and return the ids of sources that have a newer owner."""
        return _safely(list(items), is_fill=False)

    def fill(self, items: Sequence[NewsItem]) -> None:
        """Take in what older epochs recorded, only where nothing newer covers the time."""
        _safely(list(items), is_fill=True)


def _safely(items: list[NewsItem], *, is_fill: bool) -> set[UUID]:
    try:
        return _isolating_bad_news(items, is_fill=is_fill)
    except (OperationalError, InterfaceError, InternalError) as error:
        connection.close()
        raise ConnectionError(str(error).strip()) from error


def _isolating_bad_news(items: list[NewsItem], *, is_fill: bool) -> set[UUID]:
    """Commit all at once; where one source's news are no good, commit each source's alone."""
    try:
        return _apply(items, is_fill=is_fill)
    except _BAD_NEWS as error:
        by_source = _by_source(items)
        if len(by_source) == 1:
            logger.error("news of source %s cannot be kept: %s", items[0].object_id, error)
            return set()
    fenced: set[UUID] = set()
    for own in by_source.values():
        fenced |= _isolating_bad_news(own, is_fill=is_fill)
    return fenced


_BAD_NEWS = (IntegrityError, DataError, KeyError, TypeError, ValueError)


def _by_source(items: Iterable[NewsItem]) -> dict[UUID, list[NewsItem]]:
    grouped: dict[UUID, list[NewsItem]] = defaultdict(list)
    for item in items:
        grouped[item.object_id].append(item)
    return grouped


@transaction.atomic
def _apply(items: list[NewsItem], *, is_fill: bool) -> set[UUID]:
    blocks = _lock_leases({item.object_id for item in items})
    fenced = set()
    if not is_fill:
        fenced = {item.object_id for item in items if _is_fenced(item, blocks)}
    accepted = [item for item in items if item.object_id not in fenced]
    streams = {
        stream.id: stream
        for stream in Stream.objects.filter(source_id__in={item.object_id for item in accepted})
    }
    segments = SegmentKeeper(streams, is_fill=is_fill)
    gaps = GapKeeper(streams, is_fill=is_fill)
    segments.load(item.payload for item in accepted)
    for item in accepted:
        _take(item, segments, gaps, is_fill=is_fill)
    segments.save()
    gaps.save(segments)
    return fenced


def _take(item: NewsItem, segments: SegmentKeeper, gaps: GapKeeper, *, is_fill: bool) -> None:
    payload = item.payload
    match payload.get("kind"):
        case NewsKind.SEGMENT_OPEN:
            if segments.open(payload):
                gaps.recording_begins(UUID(payload["stream_id"]), payload["start_us"], payload["epoch"])
        case NewsKind.SEGMENT_PROGRESS:
            segments.progress(payload)
        case NewsKind.SEGMENT_CLOSE:
            segments.close(payload)
        case NewsKind.GAP:
            gaps.told(payload, item.epoch)
        case NewsKind.VOLUME:
            note_failure(payload)
        case NewsKind.STATE:
            if not is_fill:
                apply_state(item.object_id, payload, item.epoch)
        case other:
            logger.warning("source %s sent news of unknown kind %r", item.object_id, other)


def _lock_leases(source_ids: set[UUID]) -> dict[UUID, int]:
    """Return each lease's block, held against a new claim until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_BRIEFLY)
        cursor.execute(FENCE, {"ids": list(source_ids)})
        return dict(cursor.fetchall())


def _is_fenced(item: NewsItem, blocks: dict[UUID, int]) -> bool:
    return blocks.get(item.object_id, item.epoch >> BLOCK_BITS) > item.epoch >> BLOCK_BITS
