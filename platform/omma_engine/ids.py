"""Identifiers: UUIDv7 made by whoever creates a row, and the derived id of a segment.

Layout: RFC 9562 section 5.7 (48 bits of Unix milliseconds, version 7, variant 2, 74 free bits).
"""

import hashlib
import secrets
import time
from uuid import UUID

_VERSION_7 = 0x7 << 76
_VARIANT_RFC = 0x2 << 62
_FREE_BITS = 74


def uuid7(milliseconds: int | None = None) -> UUID:
    """Return a new UUIDv7 for the given Unix time in milliseconds (default: now)."""
    if milliseconds is None:
        milliseconds = time.time_ns() // 1_000_000
    return _assemble(milliseconds, secrets.randbits(_FREE_BITS))


def segment_id(*, stream_id: UUID, epoch: int, sequence: int, start_us: int) -> UUID:
    """Return the id of a segment: its start as first journalled, and a digest of what makes it unique.

    The same segment always gets the same id, so that a replayed journal inserts nothing twice.
    """
    return derived_id(start_us // 1000, stream_id, epoch, sequence)


def derived_id(milliseconds: int, *seed: object) -> UUID:
    """Return the one id of that time and seed: who does the same again gets the same.

    >>> derived_id(5, "task", 1) == derived_id(5, "task", 1)
    True
    """
    digest = hashlib.sha256(":".join(str(part) for part in seed).encode()).digest()
    return _assemble(milliseconds, int.from_bytes(digest[:10], "big") >> (80 - _FREE_BITS))


def milliseconds_of(id_: UUID) -> int:
    """Return the Unix time in a UUIDv7, in milliseconds."""
    return id_.int >> 80


def uuid7_floor(milliseconds: int) -> UUID:
    """Return the smallest UUIDv7 of that millisecond: a lower bound for a range over ids."""
    return _assemble(milliseconds, 0)


def _assemble(milliseconds: int, free: int) -> UUID:
    high, low = free >> 62, free & ((1 << 62) - 1)
    value = (milliseconds & ((1 << 48) - 1)) << 80 | _VERSION_7 | high << 64 | _VARIANT_RFC | low
    return UUID(int=value)
