"""Whether the servers that Omma stands on answer; each check is bounded to a second or two."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.models import Node
from apps.streams.models import Volume, VolumeState

_REDIS_TIMEOUT_S = 1.0
_WORKER_IS_GONE_AFTER = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One line of the health list. `code` stays the same over languages."""

    code: str
    name: str
    is_ok: bool
    words: str


def health_checks() -> list[HealthCheck]:
    """Return every check; those that need the database are left out while it is away."""
    database = _check("database", _("Database"), is_database_up)
    checks = [
        database,
        _check("broker", _("Message broker"), lambda: is_redis_up(settings.REDIS_URL)),
        _check("bus", _("Packet bus"), lambda: is_redis_up(settings.BUS_URL)),
    ]
    if database.is_ok:
        checks.append(_check("capture", _("Capture"), lambda: is_worker_alive("capture")))
        checks.append(_check("inference", _("Inference"), lambda: is_worker_alive("inference")))
        checks.append(_storage_check())
    return checks


def is_database_up() -> bool:
    """Ask the database for one number."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def is_redis_up(url: str) -> bool:
    """Ping a server that speaks Redis' protocol."""
    try:
        with redis_client(url) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def is_worker_alive(kind: str) -> bool:
    """Whether a worker of this kind has been seen lately."""
    return Node.objects.filter(kind=kind, seen_at__gt=timezone.now() - _WORKER_IS_GONE_AFTER).exists()


def _storage_check() -> HealthCheck:
    """Tell whether every volume is ready; one that is not stands in the list of volumes with its reason."""
    is_ok = not Volume.objects.exclude(state=VolumeState.READY).exists()
    words = _("every volume is ready") if is_ok else _("not every volume is ready")
    return HealthCheck(code="storage", name=_("Storage"), is_ok=is_ok, words=words)


def redis_client(url: str) -> "redis.Redis":
    """Return a client that gives up after a second."""
    return redis.Redis.from_url(
        url, socket_timeout=_REDIS_TIMEOUT_S, socket_connect_timeout=_REDIS_TIMEOUT_S, decode_responses=True
    )


def _check(code: str, name: str, is_up: Callable[[], bool]) -> HealthCheck:
    is_ok = is_up()
    return HealthCheck(
        code=code, name=name, is_ok=is_ok, words=_("answers") if is_ok else _("does not answer")
    )
