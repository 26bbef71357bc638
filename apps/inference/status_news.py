"""How analytics run, and minutes of streams, from news."""

from collections.abc import Mapping
from typing import Any

from apps.core import outbox
from apps.inference.models import Analytic, AnalyticStatus, MinuteSummary
from apps.inference.moments import moment


def apply_status(analytic: Analytic, payload: Mapping[str, Any]) -> None:
    """Note the figures; tell whoever listens only when the state itself changed."""
    if not analytic.is_enabled:
        return  # said before it was switched off
    status, detail = AnalyticStatus(payload["status"]), payload["detail"][:300]
    is_other = (analytic.status, analytic.status_detail) != (status, detail)
    analytic.status, analytic.status_detail = status, detail
    Analytic.objects.filter(id=analytic.id).update(
        status=status,
        status_detail=detail,
        status_at=moment(payload["at_us"]),
        analysed_fps=payload["analysed_fps"],
        dropped_frames=payload["dropped"],
    )
    if is_other:
        outbox.publish(
            "analytic.updated",
            subject_kind="analytic",
            subject_id=analytic.id,
            account_id=analytic.account_id,
            camera_ids=[analytic.camera_id],
        )


def apply_minute(analytic: Analytic, payload: Mapping[str, Any]) -> None:
    """Merge one analytic's minute into the stream's; the larger figure counts, so a repeat adds nothing."""
    summary, _ = MinuteSummary.objects.select_for_update().get_or_create(
        stream_id=analytic.stream_id,
        minute=moment(payload["minute_us"]),
        defaults={"account_id": analytic.account_id, "camera_id": analytic.camera_id},
    )
    summary.motion = max(summary.motion, payload["motion"])
    for label, count in payload["labels"].items():
        summary.labels[label] = max(count, summary.labels.get(label, 0))
    summary.save(update_fields=["motion", "labels"])
