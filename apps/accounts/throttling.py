"""Tries to log in are counted before they are evaluated, per name and network address, with growing delays.

Counting first means that a thousand tries at once are still counted one after the other. No block is for
good: the longest is `LONGEST_DELAY`. A browser in which this person has logged in before has a counter of
its own (`apps.accounts.device_cookie`), so that strangers who try the name do not lock its owner out.
"""

import ipaddress
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import LoginAttempt
from apps.core.exceptions import ThrottledError

FIRST_DELAY = timedelta(seconds=2)
LONGEST_DELAY = timedelta(minutes=15)
_FORGET_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Counter:
    """What is counted together, and how many tries are free before delays begin."""

    key: str
    free_tries: int


def counters_for(*, name: str, address: str | None, device: str = "") -> list[Counter]:
    """Return the counters that one try touches."""
    if device:
        return [Counter(f"device:{device}", 5)]
    counters = [Counter(f"name:{name.strip().lower()[:150]}", 5)]
    if address:
        counters.append(Counter(f"address:{_network_of(address)}", 20))
    return counters


def claim_try(counters: Sequence[Counter], *, now: datetime) -> None:
    """Count a try as failed; raise `ThrottledError`, counting nothing, while a counter is blocked."""
    keys = sorted(counter.key for counter in counters)
    free = {counter.key: counter.free_tries for counter in counters}
    with transaction.atomic():
        LoginAttempt.objects.bulk_create([LoginAttempt(key=key) for key in keys], ignore_conflicts=True)
        rows = list(LoginAttempt.objects.select_for_update().filter(key__in=keys).order_by("key"))
        blocked = [row.blocked_until for row in rows if row.blocked_until and row.blocked_until > now]
        if blocked:
            wait_s = max(1, math.ceil((max(blocked) - now).total_seconds()))
            raise ThrottledError("Too many tries; wait a moment.", retry_after_s=wait_s)
        for row in rows:
            row.failures = 1 if row.updated_at < now - _FORGET_AFTER else row.failures + 1
            row.blocked_until = _blocked_until(row.failures - free[row.key], now)
            row.save()


def forgive(counters: Sequence[Counter]) -> None:
    """Take the tries back: this one was right. The network's count only loses this one try."""
    with transaction.atomic():
        for counter in sorted(counters, key=lambda one: one.key):
            row = LoginAttempt.objects.select_for_update().filter(key=counter.key).first()
            if row is None:
                continue
            row.failures = max(0, row.failures - 1) if counter.key.startswith("address:") else 0
            row.blocked_until = None
            row.save()


def forget_old_tries() -> str:
    """Delete counters that nobody touched for a day: the periodic job."""
    deleted, _ = LoginAttempt.objects.filter(updated_at__lt=timezone.now() - _FORGET_AFTER).delete()
    return f"{deleted} counters"


def _blocked_until(excess: int, now: datetime) -> datetime | None:
    if excess < 0:
        return None
    doublings: int = 1 << min(excess, 20)
    return now + min(LONGEST_DELAY, FIRST_DELAY * doublings)


def _network_of(address: str) -> str:
    """Return the IPv4 address, or an IPv6 /64: that is what one subscriber has."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
