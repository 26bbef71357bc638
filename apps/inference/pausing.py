"""Analytics whose schedule is closed do not run, and say so."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from apps.core import outbox
from apps.inference.models import Analytic, AnalyticStatus
from apps.inference.schedules import is_open


def open_ones(analytics: Iterable[Analytic], at: datetime) -> list[Analytic]:
    """Return those that are to run at a moment; where a schedule opened or closed, their state follows."""
    found: list[Analytic] = []
    for analytic in analytics:
        is_wanted = is_open(analytic.schedule, at)
        if is_wanted == (analytic.status == AnalyticStatus.PAUSED):
            _note(analytic, AnalyticStatus.PENDING if is_wanted else AnalyticStatus.PAUSED)
        if is_wanted:
            found.append(analytic)
    return found


@transaction.atomic
def _note(analytic: Analytic, status: AnalyticStatus) -> None:
    """Tell a state once, whichever of the workers that look sees it first."""
    before, analytic.status = analytic.status, status
    detail = "outside its schedule" if status == AnalyticStatus.PAUSED else ""
    changed = Analytic.objects.filter(id=analytic.id, status=before, is_enabled=True).update(
        status=status, status_detail=detail, analysed_fps=0.0
    )
    if changed:
        outbox.publish(
            "analytic.updated",
            subject_kind="analytic",
            subject_id=analytic.id,
            account_id=analytic.account_id,
            camera_ids=[analytic.camera_id],
        )
