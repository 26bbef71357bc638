"""What people do with the life of streams: stop, pause, resume, and say how failures are dealt with.

Stopping, pausing and resuming tell whether anything changed: what cannot be done is no error.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, require, visible
from apps.core import audit
from apps.core.exceptions import InvalidInputError
from apps.streams import life_changes, life_log
from apps.streams.life import Life, RestartState, restart_state_of
from apps.streams.life_changes import Reason
from apps.streams.models import Source, StreamLog
from apps.streams.state_news import publish_source

MAX_RESTARTS = 1000
MAX_DELAY_S = 86_400.0
_ENDED = {Life.STOP, Life.PAUSED, Life.FAILURE, Life.DONE}


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How often a source that failed is started again, and after how long.

    None: it goes on trying without end (the camera's own way). 0: never.
    """

    limit: int | None = None
    delay_s: float = 5.0


def restart_state(source: Source) -> RestartState:
    """Return how automatic restarting of a source stands."""
    return restart_state_of(
        limit=source.restart_limit,
        attempt=source.restart_attempt,
        life=Life(source.life),
        code=source.life_code,
    )


@transaction.atomic
def stop_source(*, actor: Actor, source: Source) -> bool:
    """Stop it until it is resumed."""
    locked = _locked(actor, source)
    if locked.life == Life.STOP:
        return False
    life_changes.rest(locked, _by(actor), is_pause=False)
    _tell(actor, locked, "source.stopped")
    return True


@transaction.atomic
def pause_source(*, actor: Actor, source: Source, until: datetime | None = None) -> bool:
    """Pause what runs, until it is resumed or that time has come."""
    locked = _locked(actor, source)
    if until is not None and until <= timezone.now():
        raise InvalidInputError("The pause would be over already.", field="until")
    is_same = locked.life == Life.PAUSED and locked.paused_until == until
    if is_same or locked.life in {Life.STOP, Life.DONE}:
        return False
    life_changes.rest(locked, _by(actor), is_pause=True, paused_until=until)
    _tell(actor, locked, "source.paused")
    return True


@transaction.atomic
def resume_source(*, actor: Actor, source: Source) -> bool:
    """Start what is stopped, paused, done or has failed; it has all its restarts again."""
    locked = _locked(actor, source)
    is_off = not (locked.camera.is_enabled and locked.account.is_active)
    if is_off or not (locked.has_given_up or locked.life in _ENDED):
        return False
    life_changes.run(locked, _by(actor))
    _tell(actor, locked, "source.resumed")
    return True


@transaction.atomic
def set_restart_policy(*, actor: Actor, source: Source, policy: RestartPolicy) -> Source:
    """Say how failures are dealt with from now on."""
    locked = _locked(actor, source)
    if policy.limit is not None and not 0 <= policy.limit <= MAX_RESTARTS:
        raise InvalidInputError(
            f"Expected 0 to {MAX_RESTARTS} restarts, or nothing for no limit.", field="restart_limit"
        )
    if not 0 <= policy.delay_s <= MAX_DELAY_S:
        raise InvalidInputError(f"Expected 0 to {MAX_DELAY_S:g} seconds.", field="restart_delay_s")
    locked.restart_limit, locked.restart_delay_s = policy.limit, policy.delay_s
    locked.save(update_fields=["restart_limit", "restart_delay_s", "updated_at"])
    if locked.has_given_up and policy.limit is None:
        life_changes.run(locked, _by(actor))
    _tell(actor, locked, "source.updated")
    return locked


def visible_log(actor: Actor, action: Action = Action.VIEW) -> QuerySet[StreamLog]:
    """Return the log entries of what the actor may see."""
    return visible(actor, action, StreamLog.objects.all())


@transaction.atomic
def clean_log(*, actor: Actor, before: datetime) -> int:
    """Delete older entries of what the actor manages, but each source's last; return how many went."""
    if not actor.is_authenticated:
        require(actor, Action.MANAGE_CAMERAS, Resource(None))
    count = life_log.clean(visible_log(actor, Action.MANAGE_CAMERAS), before)
    audit.record(actor.ref(), "stream_log.cleaned", detail={"before": before.isoformat(), "deleted": count})
    return count


def _locked(actor: Actor, source: Source) -> Source:
    rows = Source.objects.select_for_update(of=("self",)).select_related("camera", "account")
    locked = rows.get(pk=source.pk)
    require(actor, Action.MANAGE_CAMERAS, Resource(locked.account_id, frozenset({locked.camera_id})))
    return locked


def _by(actor: Actor) -> Reason:
    return Reason(timezone.now(), actor_name=actor.name)


def _tell(actor: Actor, source: Source, action: str) -> None:
    audit.record(
        actor.ref(),
        action,
        subject_kind="source",
        subject_id=source.pk,
        subject_name=str(source),
        account_id=source.account_id,
    )
    publish_source(source)
