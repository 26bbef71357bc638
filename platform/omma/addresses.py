"""One way to write a server's address, in the notation each client wants.

`DATABASE_URL` is `postgresql://user:password@host:port/name`, or `postgresql://user:password@/name?host=/folder`
for a unix socket. `REDIS_URL` and `BUS_URL` are `redis://…`, `rediss://…` or `unix:///path?db=0`.
"""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def database_settings(url: str, *, pool_size: int = 0) -> dict[str, Any]:
    """Return Django's settings for a database address; none gives a database that cannot be reached.

    With a pool size, connections are kept and shared within the process.
    """
    parts = urlsplit(url or "postgresql:///omma")
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"DATABASE_URL: expected postgresql://…, got {parts.scheme}://…")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    pool = {"pool": {"min_size": 1, "max_size": pool_size, "timeout": 10}} if pool_size else {}
    host = query.pop("host", "") or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "omma",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": query.pop("port", "") or str(parts.port or ""),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"connect_timeout": 5, "application_name": "omma", **query, **pool},
    }


def redis_address(url: str) -> str:
    """Return the address as redis-py, Django's cache and channels_redis want it."""
    return url or "redis://127.0.0.1:1/0"


def celery_address(url: str) -> str:
    """Return the address as Celery wants it: unix sockets are `redis+socket:///path?virtual_host=0`."""
    parts = urlsplit(redis_address(url))
    if parts.scheme != "unix":
        return redis_address(url)
    database = parse_qs(parts.query).get("db", ["0"])[-1]
    credentials = f"{parts.netloc}" if parts.netloc else ""
    return f"redis+socket://{credentials}{parts.path}?virtual_host={database}"
