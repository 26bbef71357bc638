"""A host's news become rows: fenced, in one transaction for all analytics, and harmless when repeated."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
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
from apps.inference import match_news, result_news, status_news, track_news
from apps.inference.models import Analytic
from omma_engine.inference.messages import HostNewsKind
from omma_engine.ports import NewsItem

logger = logging.getLogger(__name__)

BLOCK_BITS = 20
_BAD_NEWS = (IntegrityError, DataError, KeyError, TypeError, ValueError)
_TRACKS = {HostNewsKind.TRACK_OPEN, HostNewsKind.TRACK_UPDATE, HostNewsKind.TRACK_CLOSE}


class InferenceSink:
    """The `NewsSink` of analytics, on the calling thread's connection; closes it when the database goes."""

    def commit(self, items: Iterable[NewsItem]) -> set[UUID]:
        """Commit what the fence lets through and return the ids of analytics that have a newer owner."""
        try:
            return _isolating_bad_news(list(items))
        except (OperationalError, InterfaceError, InternalError) as exc:
            connection.close()
            raise ConnectionError(str(exc).strip()) from exc


def _isolating_bad_news(items: list[NewsItem]) -> set[UUID]:
    """Commit all at once; where one analytic's news are no good, commit each analytic's alone."""
    try:
        return _apply(items)
    except _BAD_NEWS:
        by_analytic = _by_analytic(items)
        if len(by_analytic) == 1:
            logger.exception("news of analytic %s cannot be kept", items[0].object_id)
            return set()
    return set().union(*(_isolating_bad_news(own) for own in by_analytic.values()))


@transaction.atomic
def _apply(items: list[NewsItem]) -> set[UUID]:
    blocks = _lock_leases({item.object_id for item in items})
    fenced = {item.object_id for item in items if blocks.get(item.object_id, -1) != item.epoch >> BLOCK_BITS}
    grouped = _by_analytic(item for item in items if item.object_id not in fenced)
    for analytic in Analytic.objects.filter(id__in=grouped).order_by("id"):
        for _, life in groupby(grouped[analytic.id], key=lambda item: item.epoch):
            _apply_life(analytic, list(life))
    return fenced


def _apply_life(analytic: Analytic, items: list[NewsItem]) -> None:
    """Apply the news of one life of an analytic in a host."""
    if any(item.sequence == 1 for item in items):  # it is new: what the last one left open is over
        match_news.end_leftovers(analytic, items)
        result_news.end_leftovers(analytic, items)
        track_news.close_leftovers(analytic, items)
    track_news.apply(analytic, [item.payload for item in items if item.payload["kind"] in _TRACKS])
    for item in items:
        match item.payload["kind"]:
            case HostNewsKind.MATCH:
                match_news.apply(analytic, item.payload)
            case HostNewsKind.MINUTE:
                status_news.apply_minute(analytic, item.payload)
            case HostNewsKind.RESULT:
                result_news.apply(analytic, item)
            case HostNewsKind.STATUS:
                status_news.apply_status(analytic, item.payload)


def _lock_leases(ids: set[UUID]) -> dict[UUID, int]:
    """Hold the leases against a new owner until the commit, and return their epoch blocks."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD_BRIEFLY)
        cursor.execute(FENCE, {"ids": list(ids)})
        return dict(cursor.fetchall())


def _by_analytic(items: Iterable[NewsItem]) -> dict[UUID, list[NewsItem]]:
    grouped: dict[UUID, list[NewsItem]] = defaultdict(list)
    for item in items:
        grouped[item.object_id].append(item)
    return grouped
