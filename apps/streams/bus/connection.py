"""How the bus's server is connected to: short timeouts, so that nothing waits long for it."""

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
