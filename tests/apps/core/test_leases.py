"""Leases in a real Postgres: one owner at a time, and takeover when a worker dies."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

import psycopg
import pytest
from django.db import connection

from apps.core.leases import LEASE_S, NodeSpec, PostgresLeaseStore
from apps.core.models import Lease, Node
from omma_engine.ids import uuid7
from omma_engine.ports import Claimable

pytestmark = pytest.mark.django_db(transaction=True)

StoreMaker = Callable[..., PostgresLeaseStore]


class Hand:
    """A monotonic clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def nothing_wanted() -> Sequence[Claimable]:
    return []


@pytest.fixture
def make_store() -> Iterator[StoreMaker]:
    stores = []

    def make(name: str, labels: dict[str, str] | None = None, **options: object) -> PostgresLeaseStore:
        node = NodeSpec(name=name, kind="capture", slots=4, labels=labels or {})
        store = PostgresLeaseStore.on_default_database(
            kind="source", node=node, desired=nothing_wanted, **options
        )
        store.connect()
        stores.append(store)
        return store

    yield make
    for store in stores:
        store.close()


def age(object_id: UUID, seconds: float) -> None:
    """Let a lease grow old."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_lease SET lease_until = lease_until - make_interval(secs => %s),"
            " seen_at = seen_at - make_interval(secs => %s) WHERE object_id = %s",
            [seconds, seconds, object_id],
        )


@pytest.fixture(autouse=True)
def _old_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postgres has been up long enough for leases to be taken over."""
    monkeypatch.setattr("apps.core.leases.NO_STEAL_S", 0.0)


def test_a_free_lease_is_claimed_once_with_a_new_block(make_store: StoreMaker) -> None:
    first, second = make_store("one"), make_store("two")
    source = uuid7()

    (lease,) = first.claim([source], 4)

    assert lease.epoch == 1 << 20
    assert second.claim([source], 4) == []
    assert first.renew([lease]) == {source}
    assert Lease.objects.get(object_id=source).owner == "one"


def test_no_more_than_the_limit_is_claimed(make_store: StoreMaker) -> None:
    store = make_store("one")

    assert len(store.claim([uuid7() for _ in range(5)], 2)) == 2


def test_a_living_workers_lease_is_not_taken(make_store: StoreMaker) -> None:
    first, second = make_store("one"), make_store("two")
    source = uuid7()
    first.claim([source], 1)
    age(source, 3)  # not renewed for a while, but its owner is connected

    assert second.claim([source], 1) == []


@pytest.mark.fault("F32")
def test_a_dead_workers_lease_is_taken_before_it_runs_out(make_store: StoreMaker) -> None:
    first, second = make_store("one"), make_store("two")
    source = uuid7()
    (lease,) = first.claim([source], 1)
    first.close()  # as the kernel does for a killed process
    age(source, 2)

    (taken,) = second.claim([source], 1)

    assert taken.epoch == lease.epoch + (1 << 20)
    first.connect()
    assert first.renew([lease]) == set()


@pytest.mark.fault("F33")
def test_a_lease_that_ran_out_is_taken_even_from_a_connected_worker(make_store: StoreMaker) -> None:
    first, second = make_store("one"), make_store("two")
    source = uuid7()
    (lease,) = first.claim([source], 1)
    age(source, LEASE_S + 1)

    assert len(second.claim([source], 1)) == 1
    assert first.renew([lease]) == set()


def test_a_lease_that_ran_out_and_nobody_took_is_renewed(make_store: StoreMaker) -> None:
    store = make_store("one")
    source = uuid7()
    (lease,) = store.claim([source], 1)
    age(source, 60)

    assert store.renew([lease]) == {source}


@pytest.mark.fault("F40")
def test_nothing_is_stolen_right_after_postgres_started(
    make_store: StoreMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.core.leases.NO_STEAL_S", 1_000_000.0)
    first, second = make_store("one"), make_store("two")
    source, fresh = uuid7(), uuid7()
    first.claim([source], 1)
    first.close()
    age(source, 60)

    assert second.claim([source], 1) == []
    assert len(second.claim([fresh], 1)) == 1  # what nobody ever owned is free


@pytest.mark.fault("F40", "F41")
def test_nothing_is_stolen_right_after_the_own_reconnect(
    make_store: StoreMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Hand()
    first, second = make_store("one"), make_store("two", monotonic=clock)
    source = uuid7()
    first.claim([source], 1)
    first.close()
    age(source, 60)
    second.close()
    monkeypatch.setattr("apps.core.leases.NO_STEAL_S", 7.0)
    second.connect()
    monkeypatch.setattr("apps.core.leases.NO_STEAL_S", 0.0)

    assert second.claim([source], 1) == []

    clock.now += 7.5
    assert len(second.claim([source], 1)) == 1


def test_the_next_life_of_a_worker_takes_its_own_leases_at_once(
    make_store: StoreMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.core.leases.NO_STEAL_S", 1_000_000.0)
    first = make_store("one")
    source = uuid7()
    first.claim([source], 1)
    first.close()

    assert [lease.epoch for lease in make_store("one").claim([source], 1)] == [2 << 20]


def test_a_released_lease_is_free_and_its_epoch_stays(make_store: StoreMaker) -> None:
    first, second = make_store("one"), make_store("two")
    source = uuid7()
    first.release(first.claim([source], 1))

    assert [lease.epoch for lease in second.claim([source], 1)] == [2 << 20]


def test_a_draining_worker_hands_its_leases_to_one_with_slots(make_store: StoreMaker) -> None:
    first, second = make_store("one"), make_store("two")
    source = uuid7()
    first.claim([source], 1)

    assert first.drain()
    assert len(second.claim([source], 1)) == 1
    assert not second.drain()  # the other is draining


@pytest.mark.fault("F34")
def test_an_exclusive_lease_is_not_taken_from_a_worker_that_hands_over(make_store: StoreMaker) -> None:
    first, second = make_store("one"), make_store("two")
    shared, exclusive = uuid7(), uuid7()
    leases = first.claim([shared, exclusive], 2)
    first.drain()

    taken = second.claim([shared, exclusive], 2, exclusive=[exclusive])
    assert [lease.object_id for lease in taken] == [shared]

    first.release([lease for lease in leases if lease.object_id == exclusive])
    assert len(second.claim([exclusive], 1, exclusive=[exclusive])) == 1


@pytest.mark.parametrize(
    ("own", "others", "has_successor"),
    [
        ({}, {}, True),
        ({}, {"site": "north"}, False),
        ({"site": "north"}, {}, False),
        ({"site": "north"}, {"site": "north", "gpu": "0"}, True),
        ({"site": "north", "gpu": "0"}, {"site": "north"}, False),
    ],
)
def test_a_successor_takes_what_its_predecessor_took(
    make_store: StoreMaker, own: dict[str, str], others: dict[str, str], has_successor: bool
) -> None:
    leaving = make_store("leaving", own)
    make_store("staying", others)

    assert leaving.drain() is has_successor


def test_the_worker_has_a_node_row(make_store: StoreMaker) -> None:
    store = make_store("one")
    before = Node.objects.get(name="one")
    store.renew([])

    after = Node.objects.get(name="one")
    assert (after.kind, after.slots, after.is_draining) == ("capture", 4, False)
    assert after.seen_at > before.seen_at


def test_a_cut_connection_is_a_connection_error_and_comes_back(make_store: StoreMaker) -> None:
    store = make_store("one")
    source = uuid7()
    (lease,) = store.claim([source], 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'omma-leases'"
        )

    with pytest.raises(ConnectionError):
        store.renew([lease])
    assert store.fileno() is None

    store.connect()
    assert store.renew([lease]) == {source}


def test_word_of_changes_wakes_the_store(make_store: StoreMaker) -> None:
    import select

    from django.db import transaction

    from apps.core.leases import nudge

    store = make_store("one")
    descriptor = store.fileno()
    assert descriptor is not None
    assert select.select([descriptor], [], [], 0)[0] == []

    with transaction.atomic():
        nudge("source")

    assert select.select([descriptor], [], [], 2)[0] == [descriptor]
    store.renew([])
    assert select.select([descriptor], [], [], 0)[0] == []


@pytest.mark.fault("F47")
def test_two_workers_never_get_the_same_lease(make_store: StoreMaker) -> None:
    from concurrent.futures import ThreadPoolExecutor

    stores = [make_store(f"worker-{number}") for number in range(4)]
    sources = [uuid7() for _ in range(24)]

    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda store: store.claim(sources, 24), stores))

    owned = [lease.object_id for leases in claims for lease in leases]
    assert len(owned) == len(set(owned))
    for store, leases in zip(stores, claims, strict=True):
        assert store.renew(leases) == {lease.object_id for lease in leases}


def test_the_store_needs_a_server() -> None:
    store = PostgresLeaseStore(
        psycopg.conninfo.make_conninfo(host="/nowhere", dbname="omma"),
        kind="source",
        node=NodeSpec("one", "capture", 1),
        desired=nothing_wanted,
    )

    with pytest.raises(ConnectionError):
        store.connect()
    with pytest.raises(ConnectionError):
        store.renew([])
