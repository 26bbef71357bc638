"""How analytics run, and minutes of streams, from news."""

from collections.abc import Mapping
from typing import Any

from apps.accounts.access import system_actor
from apps.core import audit, outbox
from apps.core.leases import nudge
from apps.core.models import LeaseKind
from apps.inference.models import Analytic, AnalyticStatus, MinuteSummary
from apps.inference.moments import moment


def apply_status(analytic: Analytic, payload: Mapping[str, Any]) -> None:
    """Note the figures; tell whoever listens only when the state itself changed."""
    if not analytic.is_enabled:
        return  # said before it was switched off
    status, detail = AnalyticStatus(payload["status"]), payload["detail"][:300]
    if analytic.previous_version_id is not None and _is_of_this_version(analytic, payload):
        detail = _settle_swap(analytic, status, detail)
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


def _is_of_this_version(analytic: Analytic, payload: Mapping[str, Any]) -> bool:
    """Tell whether this was said about the version that is wanted now, and not about the one before."""
    return str(payload.get("version", "")).startswith(str(analytic.model_version_id))


def _settle_swap(analytic: Analytic, status: AnalyticStatus, detail: str) -> str:
    """Forget the version before once the new one runs; go back to it when the new one fails."""
    if status == AnalyticStatus.RUNNING:
        Analytic.objects.filter(id=analytic.id).update(previous_version=None)
    if status != AnalyticStatus.FAILED or analytic.previous_version is None:
        return detail
    bad, good = analytic.model_version, analytic.previous_version
    analytic.model_version, analytic.previous_version = good, None
    Analytic.objects.filter(id=analytic.id).update(model_version=good, previous_version=None)
    audit.record(
        system_actor().ref(),
        "analytic.went_back",
        subject_kind="analytic",
        subject_id=analytic.id,
        subject_name=analytic.name,
        account_id=analytic.account_id,
        detail={"from_version": str(bad.pk), "to_version": str(good.pk), "reason": detail},
    )
    nudge(LeaseKind.ANALYTIC)
    return f"{bad} cannot run, {good} goes on: {detail}"[:300]


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
