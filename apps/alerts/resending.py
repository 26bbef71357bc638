"""Dead deliveries, sent once more under the same id."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.access import Action, Actor, require
from apps.alerts.models import Delivery, DeliveryState, Target, TargetState
from apps.alerts.queueing import LIFETIME, wake_senders
from apps.alerts.services import resource_of
from apps.core import audit
from apps.core.exceptions import ConflictError


@transaction.atomic
def resend(*, actor: Actor, delivery: Delivery) -> Delivery:
    """Send a dead delivery once more, under the same id."""
    target = Target.objects.get(pk=delivery.target_id)
    require(actor, Action.EDIT_RULES, resource_of(target))
    locked = Delivery.objects.select_for_update().get(pk=delivery.pk)
    if locked.state != DeliveryState.DEAD:
        raise ConflictError("Only dead deliveries can be sent again.")
    _revive(Delivery.objects.filter(pk=locked.pk), target)
    _tell_resent(actor, target, 1)
    locked.refresh_from_db()
    return locked


@transaction.atomic
def resend_all(*, actor: Actor, target: Target) -> int:
    """Send all dead deliveries of a target once more; return how many."""
    require(actor, Action.EDIT_RULES, resource_of(target))
    count = _revive(Delivery.objects.filter(target=target, state=DeliveryState.DEAD), target)
    _tell_resent(actor, target, count)
    return count


def _revive(dead: QuerySet[Delivery], target: Target) -> int:
    state = TargetState.objects.select_for_update().get(target=target)
    count = dead.update(
        state=DeliveryState.PENDING, attempts=1, closes_at=None, expires_at=timezone.now() + LIFETIME
    )
    state.pending += count
    state.next_at = timezone.now()
    state.save(update_fields=["pending", "next_at"])
    wake_senders()
    return count


def _tell_resent(actor: Actor, target: Target, count: int) -> None:
    audit.record(
        actor.ref(),
        "delivery.resent",
        subject_kind="target",
        subject_id=target.pk,
        subject_name=target.name,
        account_id=target.account_id,
        detail={"count": count},
    )
