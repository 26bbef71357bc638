"""The audit trail: who did what to what. Written by services, in the transaction of what they do."""

from dataclasses import dataclass
from uuid import UUID

from apps.core import rights_news
from apps.core.models import AuditEntry


@dataclass(frozen=True, slots=True)
class ActorRef:
    """Who acted, as plain values that outlive the actor's own row."""

    kind: str
    id: UUID | None = None
    name: str = ""
    address: str | None = None


SYSTEM = ActorRef(kind="system", name="Omma")


def record(
    actor: ActorRef,
    action: str,
    *,
    subject_kind: str = "",
    subject_id: UUID | None = None,
    subject_name: str = "",
    account_id: UUID | None = None,
    detail: dict[str, object] | None = None,
) -> AuditEntry:
    """Append one entry. `action` is `<subject>.<verb>`; `detail` holds JSON values and never a secret."""
    rights_news.announce(action)
    return AuditEntry.objects.create(
        account_id=account_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name[:200],
        address=actor.address,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        subject_name=subject_name[:200],
        detail=detail or {},
    )
