"""What counting analytics say: the event of a crowd, and the outbox row that callbacks and dialects read."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from apps.core import outbox
from apps.inference.models import Analytic, Event, EventKind
from apps.inference.moments import moment
from apps.inference.results import AnalyticResult
from omma_engine.inference.counting import CountPhase, decode_counting
from omma_engine.ports import NewsItem

CAUSE = "analytic"


def apply(analytic: Analytic, item: NewsItem) -> None:
    """Take one piece of news; one that was taken already changes nothing."""
    payload = item.payload
    place = [item.epoch, item.sequence]
    if place <= analytic.last_result.get("news", [-1, -1]):
        return
    result = _result(analytic, payload)
    analytic.last_result = {**result, "news": place}
    Analytic.objects.filter(id=analytic.id).update(last_result=analytic.last_result)
    if decode_counting(analytic.counting).is_bounded:
        _keep_event(analytic, result)
    if payload["is_told"]:
        _tell(analytic, result)


def end_leftovers(analytic: Analytic, items: Iterable[NewsItem] = ()) -> None:
    """End the crowds that an earlier life of this analytic left open, when they were last seen."""
    own = [item.payload["event_id"] for item in items if "event_id" in item.payload]
    left = Event.objects.filter(
        kind=EventKind.DETECTION, end=None, camera_id=analytic.camera_id, cause_id=analytic.id
    )
    for event in left.exclude(id__in=own):
        event.end = moment(event.detail["until_us"])
        _save(event)


def _result(analytic: Analytic, payload: dict[str, Any]) -> AnalyticResult:
    counting = decode_counting(analytic.counting)
    result: AnalyticResult = {
        "kind": analytic.kind,
        "phase": payload["phase"],
        "event_id": payload["event_id"],
        "analytic_id": str(analytic.id),
        "analytic_number": analytic.number,
        "analytic_label": analytic.label,
        "stream_id": str(analytic.stream_id),
        "camera_id": str(analytic.camera_id),
        "account_id": str(analytic.account_id),
        "start_us": payload["start_us"],
        "at_us": payload["at_us"],
        "count": payload["count"],
        "highest": payload["highest"],
        "counts": payload["counts"],
        "regions": payload["regions"],
        "width": payload["width"],
        "height": payload["height"],
    }
    if counting.coordinates:
        result["coordinates"] = payload["coordinates"]
    if counting.overview:
        result["image"] = payload["image"]
    return result


def _keep_event(analytic: Analytic, result: AnalyticResult) -> None:
    event = Event.objects.filter(id=result["event_id"]).first()
    is_new = event is None
    if event is None:
        event = Event(
            id=UUID(result["event_id"]),
            account_id=analytic.account_id,
            camera_id=analytic.camera_id,
            stream_id=analytic.stream_id,
            kind=EventKind.DETECTION,
            cause_kind=CAUSE,
            cause_id=analytic.id,
            cause_name=(analytic.label or analytic.name)[:120],
            start=moment(result["start_us"]),
            label=analytic.labels[0][:64] if analytic.labels else "",
            snapshot=result.get("image", ""),
        )
    if event.end is not None:
        return
    event.detail = {"count": result["count"], "highest": result["highest"], "until_us": result["at_us"]}
    if result["phase"] == CountPhase.END:
        event.end = max(event.start, moment(result["at_us"]))
    _save(event, is_new=is_new)


def _save(event: Event, *, is_new: bool = False) -> None:
    event.save(force_insert=is_new)
    outbox.publish(
        "event.created" if is_new else "event.updated",
        subject_kind="event",
        subject_id=event.id,
        account_id=event.account_id,
        camera_ids=[event.camera_id] if event.camera_id else [],
    )


def _tell(analytic: Analytic, result: AnalyticResult) -> None:
    outbox.publish(
        "analytic.result",
        subject_kind="analytic",
        subject_id=analytic.id,
        account_id=analytic.account_id,
        camera_ids=[analytic.camera_id],
        payload=dict(result),
    )
