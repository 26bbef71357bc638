"""Reads over the whole system: workers, sources, storage, queues and how far the news has been read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, may, visible
from apps.accounts.selectors import accounts_of
from apps.core.models import Lease, Node, Outbox, OutboxPosition
from apps.core.outbox import subscribers
from apps.streams.models import Source, Volume
from apps.system.health import HealthCheck, health_checks, redis_client

__all__ = ["HealthCheck", "health_checks"]

QUEUES = ("capture", "inference", "recording", "retention", "default")


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A worker: how much it may run, and how much it does."""

    id: UUID
    name: str
    kind: str
    slots: int
    lease_count: int
    is_draining: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a subscriber has read the news."""

    subscriber: str
    waiting: int
    lag_s: float
    failures: int
    last_error: str


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """A data server: its version, and what it holds, in bytes."""

    version: str
    used_bytes: int
    connections: int


def may_see_system(actor: Actor) -> bool:
    """Whether the actor administers any account: who does may see how the whole is doing."""
    return any(may(actor, Action.SEE_SYSTEM, Resource(account.pk)) for account in accounts_of(actor))


def sources_by_state(actor: Actor) -> dict[str, int]:
    """Count the sources that the actor may see, by what they are doing."""
    rows = visible(actor, Action.VIEW, Source.objects.all()).order_by()
    return {row["status"]: row["count"] for row in rows.values("status").annotate(count=Count("pk"))}


def node_rows() -> list[NodeRow]:
    """Return every worker that has reported, with the leases that it holds."""
    held = dict(
        Lease.objects.exclude(owner="").order_by().values_list("owner").annotate(count=Count("object_id"))
    )
    return [
        NodeRow(
            id=node.pk,
            name=node.name,
            kind=node.kind,
            slots=node.slots,
            lease_count=held.get(node.name, 0),
            is_draining=node.is_draining,
            seen_at=node.seen_at,
        )
        for node in Node.objects.order_by("kind", "name")
    ]


def volume_rows() -> list[Volume]:
    """Return every volume."""
    return list(Volume.objects.order_by("name"))


def waiting_by_queue() -> Mapping[str, int]:
    """Return how many messages wait in each queue; nothing while the broker is away."""
    try:
        with redis_client(settings.REDIS_URL) as client:
            return {name: int(client.llen(name)) for name in QUEUES}
    except redis.RedisError:
        return {}


def readings(now: datetime | None = None) -> list[Reading]:
    """Return how far each subscriber is behind the news."""
    positions = {row.subscriber: row for row in OutboxPosition.objects.all()}
    at = now or timezone.now()
    return [_reading(one.name, one.kinds, positions.get(one.name), at) for one in subscribers()]


def database_facts() -> ServerFacts:
    """Return what Postgres says about itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('server_version'), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())"
        )
        version, size, connections = cursor.fetchone()
    return ServerFacts(version=version, used_bytes=size, connections=connections)


def redis_facts(url: str) -> ServerFacts | None:
    """Return what a server that speaks Redis' protocol says about itself; None while it is away."""
    try:
        with redis_client(url) as client:
            info = client.info()
    except redis.RedisError:
        return None
    return ServerFacts(
        version=str(info.get("valkey_version") or info.get("redis_version")),
        used_bytes=int(info["used_memory"]),
        connections=int(info["connected_clients"]),
    )


def _reading(name: str, kinds: frozenset[str], position: OutboxPosition | None, now: datetime) -> Reading:
    xid, row_id = (position.xid, position.outbox_id) if position else (0, 0)
    unread = Outbox.objects.filter(Q(xid__gt=xid) | Q(xid=xid, id__gt=row_id), kind__in=kinds)
    found = unread.aggregate(waiting=Count("pk"), oldest=Min("created_at"))
    lag_s = (now - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return Reading(
        subscriber=name,
        waiting=found["waiting"],
        lag_s=max(0.0, round(lag_s, 3)),
        failures=position.failures if position else 0,
        last_error=position.last_error if position else "",
    )
