"""A model of workers, leases and commits, played against the real lease store, sink and Postgres.

Time is whole seconds and passes by moving all leases into the past, which to the database is as if its clock
went on. A worker's child records without a pause from its claim until the worker hears that it lost the
lease, crashes or lets go, and says its footage second by second, whenever the machine lets it commit.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from unittest.mock import patch
from uuid import UUID

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from apps.accounts.models import Account
from apps.core import leases
from apps.core.leases import LEASE_S, NO_STEAL_S, NodeSpec, PostgresLeaseStore
from apps.core.models import Lease as LeaseRow
from apps.streams.models import Segment, SegmentState, Stream, Volume
from apps.streams.sinks import CaptureSink
from omma_engine.ids import uuid7
from omma_engine.ports import Lease, NewsItem
from tests.apps.streams.conftest import add_stream
from tests.apps.streams.news import Life, at
from tests.factories import make_account

WORKERS, STREAMS, SLOTS = 3, 2, 2
OWNED_WITHIN_S = int(LEASE_S + NO_STEAL_S) + 2  # a lease runs out, or a window ends, and the next round comes
_NEVER = 1_000_000.0
_MOST_S = 400  # a segment may be at most ten minutes long


@dataclass
class Recording:
    """One life of a child: it has recorded `[since, until)` and not said it yet; None: it goes on."""

    lease: Lease
    life: Life
    since: int
    until: int | None = None
    number: int = 0

    def news(self, now: int) -> list[NewsItem]:
        """Return what it has to say, and count it as said."""
        end = now if self.until is None else self.until
        if end <= self.since:
            return []
        self.number += 1
        items = self.life.whole(self.number, self.since, end - self.since)
        self.since = end
        return items


@dataclass
class Worker:
    """What a worker knows. `left` are lives that ended with something unsaid, on its disk."""

    store: PostgresLeaseStore
    held: dict[UUID, Recording] = field(default_factory=dict)
    left: list[Recording] = field(default_factory=list)
    is_draining: bool = False


class LeaseMachine(RuleBasedStateMachine):
    """Rules are what can happen; invariants are what must hold whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1
        self.postgres_since = -100
        self.blocks: dict[UUID, list[int]] = {}  # every block that was ever given out, in that order
        self.account: Account = make_account(f"Account {uuid7()}")
        self.streams = [self._add_stream() for _ in range(STREAMS)]
        self.by_source = {stream.source_id: stream for stream in self.streams}
        self.volume = Volume.objects.get()
        self.sink = CaptureSink()
        self.run = uuid7().hex[-8:]
        self.workers = [self._add_worker(number) for number in range(WORKERS)]

    def teardown(self) -> None:
        for worker in self.workers:
            worker.store.close()

    # --- what happens ---------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 1, 2, 5, 7, 15]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE core_lease SET lease_until = lease_until - make_interval(secs => %(s)s),"
                " seen_at = seen_at - make_interval(secs => %(s)s) WHERE object_id = ANY(%(ids)s)",
                {"s": seconds, "ids": list(self.by_source)},
            )

    @rule(number=st.integers(0, WORKERS - 1))
    def claim(self, number: int) -> None:
        worker = self.workers[number]
        free = [source for source in self.by_source if source not in worker.held]
        if worker.is_draining or not free:
            return
        is_long_up = self.now - self.postgres_since > NO_STEAL_S
        with patch.object(leases, "NO_STEAL_S", 0.0 if is_long_up else _NEVER):
            claimed = worker.store.claim(free, SLOTS)
        for lease in claimed:
            self._begin(worker, lease)

    @rule(number=st.integers(0, WORKERS - 1))
    def renew(self, number: int) -> None:
        worker = self.workers[number]
        kept = worker.store.renew([recording.lease for recording in worker.held.values()])
        for source in set(worker.held) - kept:
            assert self._newest(source) > worker.held[source].lease.epoch >> 20
            self._end(worker, source)
        for source in kept:
            assert self._newest(source) == worker.held[source].lease.epoch >> 20

    @rule(number=st.integers(0, WORKERS - 1))
    def commit(self, number: int) -> None:
        for recording in self.workers[number].held.values():
            self._say(recording)

    @rule(number=st.integers(0, WORKERS - 1))
    def salvage(self, number: int) -> None:
        """Read what ended lives left on this worker's disk."""
        worker = self.workers[number]
        for recording in worker.left:
            self._say(recording)
        worker.left.clear()

    @rule(number=st.integers(0, WORKERS - 1))
    def crash_and_start_again(self, number: int) -> None:
        worker = self.workers[number]
        for source in list(worker.held):
            self._end(worker, source)
        worker.store.close()
        left = worker.left
        self.workers[number] = self._add_worker(number)
        self.workers[number].left = left

    @rule(number=st.integers(0, WORKERS - 1))
    def the_connection_is_cut(self, number: int) -> None:
        store = self.workers[number].store
        store.close()
        store.connect()
        self._revive(self.workers[number])

    @rule()
    def postgres_restarts(self) -> None:
        self.postgres_since = self.now
        for worker in self.workers:
            worker.store.close()
        for worker in self.workers:
            worker.store.connect()
            self._revive(worker)

    @rule(number=st.integers(0, WORKERS - 1))
    def drain(self, number: int) -> None:
        worker = self.workers[number]
        worker.store.drain()
        worker.is_draining = True

    @rule(number=st.integers(0, WORKERS - 1))
    def release(self, number: int) -> None:
        worker = self.workers[number]
        leases_held = [recording.lease for recording in worker.held.values()]
        for source in list(worker.held):
            self._end(worker, source)
        worker.store.release(leases_held)

    @precondition(lambda self: self.now < _MOST_S - OWNED_WITHIN_S)
    @rule(number=st.integers(0, WORKERS - 1))
    def all_others_die_and_one_goes_on(self, number: int) -> None:
        """Whatever went before: one worker that turns owns everything within the bound."""
        for other in range(WORKERS):
            if other != number:
                self._die(self.workers[other])
        survivor = self.workers[number]
        if survivor.is_draining:
            self.crash_and_start_again(number)
            survivor = self.workers[number]
        for _ in range(OWNED_WITHIN_S):
            self.time_passes(1)
            self.renew(number)
            self.claim(number)
        assert set(survivor.held) == set(self.by_source)
        for other in range(WORKERS):
            if other != number:
                self.crash_and_start_again(other)

    # --- what must hold -------------------------------------------------------------------------------

    @invariant()
    def the_newest_block_alone_owns(self) -> None:
        for row in LeaseRow.objects.filter(object_id__in=self.by_source):
            assert row.epoch >> 20 == self._newest(row.object_id)

    @invariant()
    def no_two_epochs_have_the_same_instant(self) -> None:
        for stream in self.streams:
            rows = list(
                Segment.objects.filter(stream=stream)
                .exclude(state=SegmentState.GARBAGE)
                .order_by("start", "end")
            )
            for one, other in pairwise(rows):
                if one.epoch != other.epoch:
                    assert one.end <= other.start, (one.path, one.end, other.path, other.start)

    # --- how it is done -------------------------------------------------------------------------------

    def _say(self, recording: Recording) -> None:
        """Commit a life's news as the supervisor does: what is fenced out becomes gap-fill."""
        items = recording.news(self.now)
        if not items:
            return
        source = recording.lease.object_id
        before = Segment.objects.filter(stream=self.by_source[source]).count()
        fenced = self.sink.commit(items)
        is_stale = recording.lease.epoch >> 20 < self._newest(source)
        assert fenced == ({source} if is_stale else set())
        if is_stale:
            assert Segment.objects.filter(stream=self.by_source[source]).count() == before
            self.sink.fill(items)

    def _begin(self, worker: Worker, lease: Lease) -> None:
        known = self.blocks.setdefault(lease.object_id, [0])
        assert lease.epoch >> 20 == known[-1] + 1
        known.append(lease.epoch >> 20)
        life = Life(self.by_source[lease.object_id], self.volume, lease.epoch + 1)
        worker.held[lease.object_id] = Recording(lease, life, since=self.now)

    def _end(self, worker: Worker, source: UUID) -> None:
        recording = worker.held.pop(source)
        recording.until = self.now
        worker.left.append(recording)

    def _die(self, worker: Worker) -> None:
        for source in list(worker.held):
            self._end(worker, source)
        worker.store.close()

    def _newest(self, source: UUID) -> int:
        return self.blocks.get(source, [0])[-1]

    def _revive(self, worker: Worker) -> None:
        worker.is_draining = False  # a worker that connects says so anew

    def _add_worker(self, number: int) -> Worker:
        store = PostgresLeaseStore.on_default_database(
            kind="source",
            node=NodeSpec(f"{self.run}-{number}", "capture", SLOTS),
            desired=list,
            monotonic=lambda: float(self.now),
        )
        store.connect()
        return Worker(store)

    def _add_stream(self) -> Stream:
        stream = add_stream(self.account, "synthetic:yard")
        Stream.objects.filter(id=stream.id).update(created_at=at(0))
        stream.refresh_from_db()
        return stream
