"""Connections to Postgres apart from Django's, for loops that must not share one: listeners, locks, leases.

Django's own is closed by task hooks, and with it go its locks and what it listens to.
"""

from typing import Any

import psycopg
from django.db import connection

KEEPALIVE = {
    "keepalives": 1,
    "keepalives_idle": 5,  # seconds
    "keepalives_interval": 2,  # seconds
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,  # milliseconds
}


def connect(application_name: str = "omma") -> psycopg.Connection[Any]:
    """Open an autocommit connection to Django's database, with bounds on every wait for the network."""
    return psycopg.connect(**_parameters(application_name))


async def connect_async(application_name: str = "omma") -> psycopg.AsyncConnection[Any]:
    """Open such a connection for the running event loop."""
    return await psycopg.AsyncConnection.connect(**_parameters(application_name))


def _parameters(application_name: str) -> dict[str, Any]:
    found = connection.settings_dict
    wanted = {
        "dbname": found["NAME"],
        "user": found["USER"],
        "password": found["PASSWORD"],
        "host": found["HOST"],
        "port": found["PORT"],
    }
    options = {name: value for name, value in found["OPTIONS"].items() if isinstance(value, str)}
    return {
        **{name: value for name, value in wanted.items() if value},
        **options,
        **KEEPALIVE,
        "application_name": application_name,
        "connect_timeout": 5,
        "autocommit": True,
    }
