"""When a target that failed is tried again: exponential pauses with jitter, and the circuit breaker."""

import random
from datetime import timedelta
from enum import StrEnum

FIRST_S = 1.0
LONGEST_S = 900.0
LONGEST_ASKED_S = 3600.0
OPEN_AFTER = 5  # failures in a row
OPEN_FIRST_S = 30.0
JITTER = 0.2
TRIES_OF_REFUSED = 3  # what the target says no to, however often it is asked
_MAY_CHANGE = frozenset({401, 403, 404, 407, 408, 409, 410, 421, 423, 425, 429})


class Circuit(StrEnum):
    """`OPEN`: one delivery at a time is tried after a longer pause, and all others wait."""

    CLOSED = "closed"
    TROUBLED = "troubled"
    OPEN = "open"


def circuit_of(failures: int) -> Circuit:
    """Return how a target stands after so many failures in a row."""
    if failures == 0:
        return Circuit.CLOSED
    return Circuit.OPEN if failures >= OPEN_AFTER else Circuit.TROUBLED


def pause_after(
    failures: int, *, asked_s: float | None = None, rng: random.Random | None = None
) -> timedelta:
    """Return how long to wait after so many failures in a row; `asked_s` is what the target asked for."""
    seconds = FIRST_S * 2.0 ** min(failures - 1, 30)
    if failures >= OPEN_AFTER:
        seconds = max(OPEN_FIRST_S, OPEN_FIRST_S * 2.0 ** min(failures - OPEN_AFTER, 30))
    jitter = (rng or random).uniform(1.0 - JITTER, 1.0 + JITTER)
    wait_s = min(seconds, LONGEST_S) * jitter
    return timedelta(seconds=max(wait_s, min(asked_s or 0.0, LONGEST_ASKED_S)))


def is_refused(status: int | None) -> bool:
    """Tell whether an answer means that this very delivery will not do, now or later."""
    return status is not None and 400 <= status < 500 and status not in _MAY_CHANGE
