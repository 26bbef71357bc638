"""How the bus's server is connected to: short timeouts, so that nothing waits long for it."""

import random

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_TIMEOUT_S = 1.0
READ_TIMEOUT_S = 3.0  # above every blocking read, which is at most one second
UNREACHABLE = (redis.RedisError, OSError)


def open_client(url: str, *, timeout_s: float = READ_TIMEOUT_S) -> redis.Redis:
    """Return a client that connects on first use; it may be made before a fork, and used after it."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def open_async_client(url: str, *, timeout_s: float = READ_TIMEOUT_S) -> redis.asyncio.Redis:
    """Return the asynchronous twin; it belongs to the event loop that first uses it."""
    return redis.asyncio.Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        retry=redis.asyncio.retry.Retry(NoBackoff(), 0),
    )


class Backoff:
    """Waiting times that double up to a limit, with jitter, so that children do not come back in step."""

    def __init__(self, *, first_s: float = 0.25, most_s: float = 2.0) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._next_s = first_s

    def next_s(self) -> float:
        wait_s = self._next_s * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
        self._next_s = min(self._most_s, self._next_s * 2)
        return wait_s

    def reset(self) -> None:
        self._next_s = self._first_s
