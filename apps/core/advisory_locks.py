"""Advisory locks of Postgres, and their numbers. Leases take the two-key form, so these cannot meet them."""

from typing import Any

import psycopg

MIGRATE = 0x6F6D6D61_0001  # "omma" and a number
BEAT = 0x6F6D6D61_0002
OUTBOX_DISPATCHER = 0x6F6D6D61_0003
RECORDINGS = 0x6F6D6D61_0004
STORAGE_CHECK = 0x6F6D6D61_0005
RETENTION = 0x6F6D6D61_0006
ARCHIVE = 0x6F6D6D61_0007
SCRUB = 0x6F6D6D61_0008
STREAM_LIFE = 0x6F6D6D61_0009
HOUR_SUMS = 0x6F6D6D61_000A
SILENCE = 0x6F6D6D61_000B


def try_lock(connection: psycopg.Connection[Any], key: int) -> bool:
    """Take a lock that lasts as long as the connection, if nobody else holds it."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", [key]).fetchone()
    return bool(row and row[0])
