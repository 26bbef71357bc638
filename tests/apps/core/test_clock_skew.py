"""F18: workers whose clocks differ by minutes: only the database's clock counts for leases."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from apps.core.leases import LEASE_S, NodeSpec, PostgresLeaseStore
from apps.core.models import Lease
from omma_engine.ids import uuid7

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault("F18")]

TEN_MINUTES_S = 600.0


@contextmanager
def clock_off_by(seconds: float) -> Iterator[None]:
    """Let this process's wall clock be wrong."""
    true_s, true_ns = time.time, time.time_ns
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: true_s() + seconds)
        patch.setattr(time, "time_ns", lambda: true_ns() + int(seconds * 1e9))
        yield


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[PostgresLeaseStore]]:
    """Two workers, connected."""
    monkeypatch.setattr("apps.core.leases.NO_STEAL_S", 0.0)
    with ExitStack() as stack:
        made = []
        for name in ("early", "late"):
            node = NodeSpec(name=name, kind="capture", slots=4)
            store = PostgresLeaseStore.on_default_database(kind="source", node=node, desired=list)
            store.connect()
            made.append(stack.enter_context(closing(store)))
        yield made


def test_a_worker_ten_minutes_ahead_takes_nothing_from_one_ten_minutes_behind(
    stores: list[PostgresLeaseStore],
) -> None:
    early, late = stores
    source = uuid7()
    with clock_off_by(-TEN_MINUTES_S):
        (lease,) = early.claim([source], 1)

    with clock_off_by(TEN_MINUTES_S):
        taken = late.claim([source], 1)
    with clock_off_by(-TEN_MINUTES_S):
        kept = early.renew([lease])

    assert taken == []
    assert kept == {source}
    assert Lease.objects.get(object_id=source).owner == "early"


@pytest.mark.parametrize("off_s", [-TEN_MINUTES_S, TEN_MINUTES_S])
def test_a_lease_lasts_as_long_whatever_the_worker_thinks_the_time_is(
    stores: list[PostgresLeaseStore], off_s: float
) -> None:
    source = uuid7()

    with clock_off_by(off_s):
        stores[0].claim([source], 1)

    row = Lease.objects.get(object_id=source)
    assert row.lease_until is not None
    assert row.seen_at is not None
    assert (row.lease_until - row.seen_at).total_seconds() == pytest.approx(LEASE_S, abs=0.1)
    assert abs(row.seen_at.timestamp() - time.time()) < 30
