"""An analysing process' news become rows: fenced, in one transaction, and harmless when repeated."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
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
from django.db.models import F
from django.utils import timezone

from apps.core.lease_statements import FENCE, HOLD_BRIEFLY
from apps.core.models import Task, TaskState
from apps.inference.analyses import finds
from apps.inference.analyses.models import Analysis, AnalysisMode
from apps.inference.analyses.services import UNFINISHED, drop_analysis, forget_finds, publish
from omma_engine.ports import NewsItem

logger = logging.getLogger(__name__)

BLOCK_BITS = 20
MOST_TRIES = 5  # starts without getting to a checkpoint
_BAD_NEWS = (IntegrityError, DataError, KeyError, TypeError, ValueError, StopIteration)


class AnalysisSink:
    """The `NewsSink` of analyses, on the calling thread's connection; closes it when the database goes."""

    def commit(self, items: Iterable[NewsItem]) -> set[UUID]:
        """Commit what the fence lets through and return the ids of analyses that have a newer owner."""
        fenced: set[UUID] = set()
        try:
            for analysis_id, own in _by_analysis(items).items():
                fenced |= _apply_safely(analysis_id, own)
        except (OperationalError, InterfaceError, InternalError) as exc:
            connection.close()
            raise ConnectionError(str(exc).strip()) from exc
        return fenced


def _apply_safely(analysis_id: UUID, items: list[NewsItem]) -> set[UUID]:
    try:
        return _apply(analysis_id, items)
    except _BAD_NEWS:
        logger.exception("news of analysis %s cannot be kept", analysis_id)
        _fail_alone(analysis_id)
        return set()


@transaction.atomic
def _apply(analysis_id: UUID, items: list[NewsItem]) -> set[UUID]:
    if any(item.epoch >> BLOCK_BITS != _block_of(analysis_id) for item in items):
        return {analysis_id}
    analysis = Analysis.objects.select_for_update(of=("self",)).filter(pk=analysis_id).first()
    if analysis is None or not Task.objects.filter(pk=analysis.pk, state__in=UNFINISHED).exists():
        return set()  # it was cancelled or deleted meanwhile
    if analysis.mode == AnalysisMode.STORE:
        finds.store(analysis, [item.payload for item in items])
    for item in items:
        _take(analysis, item.payload)
    return set()


def _take(analysis: Analysis, payload: Mapping[str, Any]) -> None:
    task = Task.objects.filter(pk=analysis.pk, state__in=UNFINISHED)
    match payload["kind"]:
        case "begun":
            _begin(analysis)
        case "checkpoint":
            analysis.checkpoint = {name: payload[name] for name in ("leg", "at_us", "numbers")}
            analysis.save(update_fields=["checkpoint", "updated_at"])
            task.update(attempts=0)
        case "progress":
            share = payload["done_us"] / max(1, payload["total_us"])
            task.update(progress=min(max(share, 0.0), 0.9999))
            analysis.speed, analysis.footage_s = payload["speed"], payload["total_us"] / 1e6
            analysis.save(update_fields=["speed", "footage_s", "updated_at"])
            publish(analysis)
        case "done":
            _finish(analysis, payload)
        case "failed":
            _fail(analysis, str(payload["detail"]))


def _begin(analysis: Analysis) -> None:
    tasks = Task.objects.filter(pk=analysis.pk)
    tasks.update(state=TaskState.RUNNING, attempts=F("attempts") + 1)
    tasks.filter(started_at=None).update(started_at=timezone.now())
    if tasks.filter(attempts__gt=MOST_TRIES).exists():
        _fail(analysis, f"It ended {MOST_TRIES} times before it got on.")
    publish(analysis)


def _finish(analysis: Analysis, payload: Mapping[str, Any]) -> None:
    total_s = payload["total_us"] / 1e6
    analysis.footage_s = total_s
    analysis.result = {
        "footage_s": round(total_s, 3),
        "pictures": payload["pictures"],
        "unreadable_files": payload["unreadable"],
        "decode_errors": payload["decode_errors"],
        "analytics": [
            {
                "id": spec["analytic_id"],
                "name": analysis.names.get(spec["analytic_id"], ""),
                **payload["analytics"].get(spec["analytic_id"], {"tracks": {}, "matches": {}, "results": 0}),
            }
            for spec in analysis.specs
        ],
        "matches": payload["matches"],
    }
    analysis.save(update_fields=["footage_s", "result", "updated_at"])
    Task.objects.filter(pk=analysis.pk).update(
        state=TaskState.DONE, progress=1.0, finished_at=timezone.now(), error=""
    )
    _replace_earlier(analysis)
    publish(analysis)


def _replace_earlier(analysis: Analysis) -> None:
    """Delete earlier analyses of the same stream, range and analytics: this one says it anew."""
    same = Analysis.objects.filter(stream_id=analysis.stream_id, fingerprint=analysis.fingerprint)
    for earlier in same.filter(created_at__lt=analysis.created_at).exclude(task__state__in=UNFINISHED):
        drop_analysis(earlier)


def _fail(analysis: Analysis, detail: str) -> None:
    """End an analysis that cannot go on; what it had found is thrown away."""
    Task.objects.filter(pk=analysis.pk, state__in=UNFINISHED).update(
        state=TaskState.FAILED, error=detail[:2000], finished_at=timezone.now()
    )
    forget_finds(analysis)
    publish(analysis)


@transaction.atomic
def _fail_alone(analysis_id: UUID) -> None:
    analysis = Analysis.objects.filter(pk=analysis_id).first()
    if analysis is not None:
        _fail(analysis, "What it found cannot be stored; the log says why.")


def _block_of(analysis_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(HOLD_BRIEFLY)
        cursor.execute(FENCE, {"ids": [analysis_id]})
        row = cursor.fetchone()
    return int(row[1]) if row else -1


def _by_analysis(items: Iterable[NewsItem]) -> dict[UUID, list[NewsItem]]:
    grouped: dict[UUID, list[NewsItem]] = defaultdict(list)
    for item in items:
        grouped[item.object_id].append(item)
    return grouped
