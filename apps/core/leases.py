"""Leases in Postgres: who runs what, on the database's clock, fenced by epochs.

A lease is claimed with `FOR UPDATE SKIP LOCKED`, lasts `LEASE_S` and is renewed each second, all of a
worker's in one statement. A claim advances the epoch to the next block of 2^20, and commits compare blocks. A
session advisory lock per worker makes its death visible at once; it is a hint for speed, and lease and epoch
carry the correctness. After Postgres or the own connection came back, nothing is taken from another worker
for one lease time and a second (the no-steal window): its owner is perhaps only reconnecting.
"""

import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

import psycopg
from django.db import connection as django_connection
from psycopg.types.json import Jsonb

from apps.core import lease_statements as statements
from omma_engine.ids import uuid7
from omma_engine.ports import Claimable, Lease

logger = logging.getLogger(__name__)

LEASE_S = 6.0
UNSEEN_S = 1.5  # a lease of a dead worker may be taken when it was not renewed for so long
NO_STEAL_S = LEASE_S + 1.0
CHANNEL = "omma_leases"

_CONNECTION_OPTIONS = {
    "autocommit": True,
    "connect_timeout": 2,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 4000,  # milliseconds
    "application_name": "omma-leases",
}


@dataclass(frozen=True, slots=True)
class NodeSpec:
    """What a worker says about itself. `name` is unique and stays the same over restarts."""

    name: str
    kind: str
    slots: int
    labels: dict[str, str] = field(default_factory=dict)


def nudge(kind: str) -> None:
    """Tell the supervisors of this kind that desired state changed, when the caller's transaction commits."""
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, kind])


class PostgresLeaseStore:
    """A `LeaseStore` on a connection of its own; one thread at a time. It reconnects by itself."""

    def __init__(
        self,
        dsn: str,
        *,
        kind: str,
        node: NodeSpec,
        desired: Callable[[], Sequence[Claimable]],
        succeeded: Callable[[Sequence[Lease]], set[UUID]] | None = None,
        on_claim: Callable[[Sequence[Lease]], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`desired` reads what should run; `succeeded` tells which lost leases' new owners already work.

        `on_claim` is called with what was claimed, by the thread that did, before it is put to use.
        """
        self._dsn = dsn
        self._kind = kind
        self._node = node
        self._desired = desired
        self._succeeded = succeeded
        self._on_claim = on_claim
        self._monotonic = monotonic
        self._boot_id = uuid7()
        self._owner_key = secrets.randbits(62)
        self._connection: psycopg.Connection[Any] | None = None
        self._was_connected = False
        self._has_liveness = False
        self._steal_after = 0.0
        self._known: set[UUID] = set()

    @classmethod
    def on_default_database(cls, **options: Any) -> Self:
        """Return a store on the database that Django uses."""
        parameters = django_connection.get_connection_params()
        names = ("host", "port", "user", "password", "dbname")
        known = {name: parameters[name] for name in names if parameters.get(name)}
        return cls(psycopg.conninfo.make_conninfo(**known), **options)

    def connect(self) -> None:
        if self._connection is not None and not self._connection.closed:
            return
        with _as_connection_error():
            self._connection = psycopg.connect(self._dsn, **_CONNECTION_OPTIONS)  # type: ignore[arg-type]
        if self._was_connected:
            self._steal_after = self._monotonic() + NO_STEAL_S
        self._was_connected = True
        self._has_liveness = False
        with self._live() as connection:
            connection.add_notify_handler(_ignore)
            connection.execute("SET statement_timeout = '5s'")
            connection.execute("SET lock_timeout = '2s'")
            connection.execute(f"LISTEN {CHANNEL}")
            self._announce(connection)
            self._take_liveness(connection)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def fileno(self) -> int | None:
        connection = self._connection
        if connection is None or connection.closed:
            return None
        try:
            return connection.fileno()
        except psycopg.OperationalError:
            return None

    def desired(self) -> Sequence[Claimable]:
        return self._desired()

    def renew(self, leases: Sequence[Lease]) -> set[UUID]:
        with self._live() as connection:
            if not self._has_liveness:
                self._take_liveness(connection)
            rows = connection.execute(
                statements.RENEW,
                {**self._parameters(), "ids": [lease.object_id for lease in leases]},
            ).fetchall()
        blocks = {lease.object_id: lease.epoch >> 20 for lease in leases}
        return {object_id for object_id, epoch in rows if blocks.get(object_id) == epoch >> 20}

    def claim(
        self, object_ids: Sequence[UUID], limit: int, *, exclusive: Collection[UUID] = ()
    ) -> list[Lease]:
        ids = sorted(object_ids, key=self._preference)
        with self._live() as connection:
            self._make_rows(connection, ids)
            rows = connection.execute(
                statements.CLAIM,
                {
                    **self._parameters(),
                    "ids": ids,
                    "limit": limit,
                    "exclusive": list(exclusive),
                    "may_steal": self._monotonic() >= self._steal_after,
                    "unseen_s": UNSEEN_S,
                    "no_steal_s": NO_STEAL_S,
                },
            ).fetchall()
        claimed = [Lease(self._kind, object_id, epoch) for object_id, epoch in rows]
        if claimed and self._on_claim is not None:
            self._on_claim(claimed)
        return claimed

    def release(self, leases: Sequence[Lease]) -> None:
        with self._live() as connection:
            connection.execute(
                statements.RELEASE,
                {**self._parameters(), "ids": [lease.object_id for lease in leases], "channel": CHANNEL},
            )

    def drain(self) -> bool:
        with self._live() as connection:
            connection.execute(statements.DRAIN, {**self._parameters(), "channel": CHANNEL})
            labels = Jsonb(self._node.labels)
            row = connection.execute(
                statements.FREE_SLOTS, {**self._parameters(), "labels": labels}
            ).fetchone()
        return bool(row and row[0])

    def succeeded(self, leases: Sequence[Lease]) -> set[UUID]:
        if self._succeeded is None:
            return {lease.object_id for lease in leases}
        return self._succeeded(leases)

    def _parameters(self) -> dict[str, Any]:
        return {
            "kind": self._kind,
            "name": self._node.name,
            "node_kind": self._node.kind,
            "key": self._owner_key,
            "lease_s": LEASE_S,
        }

    def _preference(self, object_id: UUID) -> bytes:
        """Order ids differently on each worker, so that two do not reach for the same (rendezvous)."""
        return hashlib.sha256(self._node.name.encode() + object_id.bytes).digest()

    def _make_rows(self, connection: psycopg.Connection[Any], ids: Iterable[UUID]) -> None:
        unknown = [object_id for object_id in ids if object_id not in self._known]
        if unknown:
            connection.execute(statements.MAKE_ROWS, {"ids": unknown, "kind": self._kind})
            self._known.update(unknown)

    def _announce(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(
            statements.ANNOUNCE,
            {
                **self._parameters(),
                "id": uuid7(),
                "boot_id": self._boot_id,
                "pid": os.getpid(),
                "slots": self._node.slots,
                "labels": Jsonb(self._node.labels),
            },
        )

    def _take_liveness(self, connection: psycopg.Connection[Any]) -> None:
        """Take the advisory lock; right after a reconnect the dead session may still hold it."""
        row = connection.execute(statements.TAKE_LIVENESS, {"key": self._owner_key}).fetchone()
        self._has_liveness = bool(row and row[0])

    @contextmanager
    def _live(self) -> Any:
        if self._connection is None:
            raise ConnectionError("not connected to the database")
        try:
            with _as_connection_error():
                yield self._connection
        except ConnectionError:
            self.close()
            raise


@contextmanager
def _as_connection_error() -> Any:
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise ConnectionError(str(error).strip()) from error


def _ignore(_: psycopg.Notify) -> None:
    """Word that something changed only wakes the loop: each round reads everything."""
