"""What the alerts throw away in time, and callbacks whose owner is gone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from apps.alerts.models import Delivery, DeliveryState, OwnerKind, Target, TargetState
from apps.core.outbox import OutboxRow

DELIVERED_KEPT = timedelta(days=7)
DEAD_KEPT = timedelta(days=90)
OWNER_NEWS = ("stream.deleted", "analytic.deleted", "camera.deleted")


def clean_up(now: datetime | None = None) -> str:
    """End what waited too long, delete what is old, and count anew what waits: the periodic job."""
    now = now or timezone.now()
    late = Delivery.objects.filter(state=DeliveryState.PENDING, expires_at__lt=now)
    dead = late.update(state=DeliveryState.DEAD, last_error="it could not be sent in time")
    old = Q(state=DeliveryState.DELIVERED, created_at__lt=now - DELIVERED_KEPT)
    old |= Q(state=DeliveryState.DEAD, created_at__lt=now - DEAD_KEPT)
    gone, _ = Delivery.objects.filter(old).delete()
    for target_id in TargetState.objects.values_list("target_id", flat=True):
        _count_anew(target_id)
    return f"{dead} dead, {gone} deleted"


@transaction.atomic
def _count_anew(target_id: UUID) -> None:
    state = TargetState.objects.select_for_update().filter(target=target_id).first()
    if state is None:
        return
    waiting = Delivery.objects.filter(target=target_id, state=DeliveryState.PENDING).aggregate(n=Count("pk"))[
        "n"
    ]
    if state.pending != waiting:
        state.pending = waiting
        state.save(update_fields=["pending"])


def forget_owners(rows: Sequence[OutboxRow]) -> None:
    """Delete the callbacks of what was deleted: the outbox's subscriber."""
    ids = {
        kind: [row.subject_id for row in rows if row.kind == f"{kind}.deleted"] for kind in OwnerKind.values
    }
    for kind in (OwnerKind.STREAM, OwnerKind.ANALYTIC):
        Target.objects.filter(owner_kind=kind, owner_id__in=ids[kind]).delete()
    if any(row.kind == "camera.deleted" for row in rows):
        Target.objects.filter(all_cameras=False, cameras=None).exclude(owner_kind="").delete()
