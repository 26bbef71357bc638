"""One round with the database: renew, commit, read what is wanted, claim, release."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from omma_engine.ports import Claimable, Lease, LeaseStore, NewsItem, NewsSink

Filler = Callable[[Sequence[NewsItem]], None]


@dataclass(frozen=True, slots=True)
class RoundRequest:
    """What to do. A round that is not `is_full` only commits news."""

    began_us: int = 0  # monotonic
    leases: tuple[Lease, ...] = ()
    held: frozenset[UUID] = frozenset()
    to_release: tuple[Lease, ...] = ()
    to_watch: tuple[Lease, ...] = ()  # lost to a successor while draining: does it record yet?
    free_slots: int = 0
    fresh: tuple[NewsItem, ...] = ()
    old: tuple[NewsItem, ...] = ()
    is_full: bool = True
    is_draining: bool = False


@dataclass(slots=True)
class RoundResult:
    """What happened. `error` is set when the database went away; what was done before it still counts."""

    request: RoundRequest
    is_confirmed: bool = False  # the leases were renewed, as far as they are still ours
    lost: set[UUID] = field(default_factory=set)
    desired: list[Claimable] | None = None
    claimed: list[Lease] = field(default_factory=list)
    released: bool = False
    fenced: set[UUID] = field(default_factory=set)
    committed: bool = False
    filled: bool = False
    has_successor: bool | None = None
    succeeded: set[UUID] = field(default_factory=set)
    error: ConnectionError | None = None


def run_round(store: LeaseStore, sink: NewsSink, fill: Filler | None, request: RoundRequest) -> RoundResult:
    """Do one round; leases come first, because they run out. Runs on the database lane."""
    result = RoundResult(request)
    try:
        if request.is_full:
            store.connect()
            _keep_leases(store, request, result)
        _commit_news(sink, fill, request, result)
        if request.is_full:
            _take_work(store, request, result)
    except ConnectionError as error:
        result.error = error
    return result


def _keep_leases(store: LeaseStore, request: RoundRequest, result: RoundResult) -> None:
    still_ours = store.renew(request.leases)
    result.lost = {lease.object_id for lease in request.leases} - still_ours
    result.is_confirmed = True
    if request.to_release:
        store.release(request.to_release)
    result.released = True


def _commit_news(sink: NewsSink, fill: Filler | None, request: RoundRequest, result: RoundResult) -> None:
    if request.fresh:
        result.fenced = sink.commit(request.fresh)
        result.committed = True
    if request.old and fill is not None:
        fill(request.old)
    result.filled = bool(request.old)


def _take_work(store: LeaseStore, request: RoundRequest, result: RoundResult) -> None:
    if request.is_draining:
        result.has_successor = store.drain()
        result.succeeded = store.succeeded(request.to_watch) if request.to_watch else set()
        return
    result.desired = list(store.desired())
    held = request.held | {lease.object_id for lease in request.to_release}
    free = [item.object_id for item in result.desired if item.object_id not in held]
    if free and request.free_slots > 0:
        exclusive = {item.object_id for item in result.desired if item.is_exclusive}
        result.claimed = store.claim(free, request.free_slots, exclusive=exclusive.intersection(free))
