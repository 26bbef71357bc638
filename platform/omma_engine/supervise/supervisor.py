"""The supervisor's loop: one thread that owns the children, with the database and slow work beside it."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field

from omma_engine.clock import Clock, SystemClock
from omma_engine.ports import LeaseStore, NewsItem, NewsSink
from omma_engine.supervise.config import SupervisorConfig
from omma_engine.supervise.crew import Crew, Ended
from omma_engine.supervise.desk import NewsDesk
from omma_engine.supervise.dialect import Dialect, NoSalvage, Salvager
from omma_engine.supervise.lanes import Lane, ThreadLane
from omma_engine.supervise.newsroom import Newsroom
from omma_engine.supervise.relief import Reliefs
from omma_engine.supervise.roster import Roster
from omma_engine.supervise.rounds import Filler, RoundRequest, RoundResult, run_round
from omma_engine.supervise.salvaging import Salvages
from omma_engine.supervise.spawning import Spawner
from omma_engine.supervise.waking import Waker

logger = logging.getLogger(__name__)

_SECOND_US = 1_000_000
_FAILURES_TO_END = 5  # steps that failed in a row: the worker is better restarted


@dataclass(frozen=True, slots=True)
class Ports:
    """What a supervisor works with."""

    store: LeaseStore
    sink: NewsSink
    spawner: Spawner
    dialect: Dialect
    salvager: Salvager = field(default_factory=NoSalvage)
    fill: Filler | None = None
    works: Callable[[NewsItem], bool] | None = None  # whether news show that their child does its work
    on_close: Callable[[], None] | None = None  # runs last on the database lane: it closes what is its own


class Supervisor:
    """Claims, starts, watches, commits and hands over; `start` and `stop` may be called from any thread.

    The loop thread never waits for the database or a name server, so children are beaten, and go on
    recording, whatever becomes of those.
    """

    def __init__(
        self,
        ports: Ports,
        config: SupervisorConfig | None = None,
        *,
        clock: Clock | None = None,
        database_lane: Lane | None = None,
        work_lane: Lane | None = None,
    ) -> None:
        self.config = config or SupervisorConfig()
        self._ports = ports
        self._clock = clock or SystemClock()
        self._database_lane = database_lane or ThreadLane("supervisor-database")
        self._work_lane = work_lane or ThreadLane("supervisor-work", threads=4)
        self.newsroom = Newsroom(self.config.news_limit)
        self.crew = Crew(self.config, ports.spawner, ports.dialect, self._clock, self.newsroom.add)
        reliefs = Reliefs(self.config, self.crew, self.newsroom, self._clock, self._work_lane, ports.works)
        self.roster = Roster(self.config, self.crew, self._clock, self._work_lane, reliefs)
        self._round: Future[RoundResult] | None = None
        self._round_due_us = self._beat_due_us = 0
        self._waker = Waker()
        self._salvages = Salvages(ports.salvager, self._work_lane, self._waker.wake)
        self._desk = NewsDesk(self.newsroom, self._salvages, self.crew, self.roster)
        self._thread: threading.Thread | None = None
        self._stop_wanted = threading.Event()
        self._last_step_us = 0
        self._stop_at_us: int | None = None
        self._handover_until_us: int | None = None
        self.is_database_away = False
        self.on_failure: Callable[[], None] | None = None

    def start(self) -> None:
        """Start the loop thread."""
        if self._thread is None:
            self._last_step_us = self._clock.monotonic_us()
            self._thread = threading.Thread(target=self.run, name="supervisor", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Hand over or stop all children and release the leases; bounded, and harmless when repeated."""
        self._stop_wanted.set()
        self.wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=self.config.stop_s + 1)

    @property
    def is_healthy(self) -> bool:
        """Whether the loop is alive and turning."""
        is_turning = self._clock.monotonic_us() - self._last_step_us < 5 * _SECOND_US
        return self._thread is not None and self._thread.is_alive() and is_turning

    def wake(self) -> None:
        """Make the loop look at once; may be called from any thread."""
        self._waker.wake()

    def run(self) -> None:
        """Turn until `stop`; the thread that runs this is the children's parent."""
        self._last_step_us = self._clock.monotonic_us()
        try:
            self._ports.spawner.start()
            self._turn()
        finally:
            self.close()

    def step(self, timeout_s: float) -> None:
        """Do one turn of the loop, waiting at most so long for something to happen."""
        self._wait(timeout_s)
        self._last_step_us = self._clock.monotonic_us()
        for ended in self.crew.listen():
            self._bury(ended)
        self._desk.take_in()
        self._finish_round()
        self.roster.advance()
        self._beat_when_due()
        self._stop_when_wanted()
        self._begin_round_when_due()

    def _turn(self) -> None:
        failures = 0
        while not self._is_done():
            try:
                self.step(self.config.tick_s)
                failures = 0
            except Exception:
                failures += 1
                logger.exception("the supervisor's step failed")
                if failures >= _FAILURES_TO_END:
                    if self.on_failure is not None:
                        self.on_failure()
                    raise
                self._stop_wanted.wait(self.config.tick_s)

    def _bury(self, ended: Ended) -> None:
        self.roster.bury(ended)
        self._salvages.after_exit((ended.object_id, ended.epoch))

    def _beat_when_due(self) -> None:
        now_us = self._clock.monotonic_us()
        if now_us >= self._beat_due_us:
            self._beat_due_us = now_us + int(self.config.beat_s * _SECOND_US)
            self.crew.beat(is_alone=self.roster.is_alone)

    # --- rounds --------------------------------------------------------------------------------------------

    def _begin_round_when_due(self) -> None:
        if self._round is not None:
            return
        now_us = self._clock.monotonic_us()
        is_full = now_us >= self._round_due_us
        has_news = self.config.commits_at_once and len(self.newsroom) > 0 and not self.is_database_away
        if not is_full and not has_news:
            return
        if is_full:
            self._round_due_us = now_us + int(self.config.round_s * _SECOND_US)
        request, ports = self._request(is_full=is_full), self._ports
        self._round = self._database_lane.submit(
            lambda: run_round(ports.store, ports.sink, ports.fill, request)
        )
        self._round.add_done_callback(lambda _: self._waker.wake())

    def _request(self, *, is_full: bool) -> RoundRequest:
        fresh, old = self.newsroom.batches(self.config.news_per_round)
        free = 0 if self._stop_at_us is not None else self.config.slots - len(self.roster.members)
        return RoundRequest(
            began_us=self._clock.monotonic_us(),
            leases=self.roster.leases(),
            held=frozenset(self.roster.members),
            to_release=tuple(self.roster.to_release),
            to_watch=tuple(member.lease for member in self.roster.members.values() if member.is_lost),
            free_slots=max(0, min(free, self.config.claims_per_round)),
            fresh=tuple(fresh),
            old=tuple(old),
            is_full=is_full,
            is_draining=self._stop_at_us is not None,
        )

    def _finish_round(self) -> None:
        if self._round is None or not self._round.done():
            return
        result, self._round = self._round.result(), None
        self._note_database(result)
        if result.released:
            self.roster.to_release = self.roster.to_release[len(result.request.to_release) :]
        self._lose(result)
        self._desk.note(result)
        if result.desired is not None:
            self.roster.reconcile(result.desired)
        self._admit(result)
        self._look_at_handover(result)

    def _note_database(self, result: RoundResult) -> None:
        is_away = result.error is not None
        if is_away and not self.is_database_away:
            logger.warning("the database is away, children go on: %s", result.error)
        if self.is_database_away and not is_away and result.request.is_full:
            logger.info("the database is back, %d news wait", len(self.newsroom))
        if is_away or result.request.is_full:
            self.is_database_away = is_away
        if result.is_confirmed:
            self.roster.confirmed_us = result.request.began_us

    def _lose(self, result: RoundResult) -> None:
        lost = result.lost | result.fenced
        if self._handover_until_us is None:
            self.roster.lose(lost, "another worker has it")
            return
        for object_id in lost & self.roster.members.keys():
            self.roster.members[object_id].is_lost = True  # its child goes on until the successor records

    def _admit(self, result: RoundResult) -> None:
        items = {item.object_id: item for item in result.desired or ()}
        for lease in result.claimed:
            if self._stop_at_us is not None:
                self.roster.to_release.append(lease)
                continue
            self.roster.admit(lease, items[lease.object_id])
            self._salvages.earlier(lease.object_id, lease.epoch)

    # --- stopping ------------------------------------------------------------------------------------------

    def _stop_when_wanted(self) -> None:
        if not self._stop_wanted.is_set():
            return
        now_us = self._clock.monotonic_us()
        if self._stop_at_us is None:
            self._stop_at_us = now_us + int(self.config.stop_s * _SECOND_US)
            self._handover_until_us = now_us + int(self.config.handover_s * _SECOND_US)
            self._round_due_us = now_us  # ask for a successor at once
            self.roster.dismiss_all("planned", only_exclusive=True)  # theirs begins when ours has ended
        if self._handover_until_us is not None and (
            now_us >= self._handover_until_us or self.is_database_away
        ):
            self._end_handover()

    def _look_at_handover(self, result: RoundResult) -> None:
        if self._handover_until_us is None or not result.request.is_draining:
            return
        self._round_due_us = self._clock.monotonic_us() + _SECOND_US // 4
        if result.has_successor is False or result.error is not None:
            self._end_handover()
            return
        self.roster.lose(result.succeeded, "handed over")
        if not self.roster.members:
            self._end_handover()

    def _end_handover(self) -> None:
        self._handover_until_us = None
        self._round_due_us = 0
        self.roster.dismiss_all("planned")

    def _is_done(self) -> bool:
        if self._stop_at_us is None:
            return False
        is_settled = not self.roster.members and not self.roster.to_release and self._desk.is_empty
        is_idle = self._round is None and self._handover_until_us is None
        is_hopeless = self.is_database_away and not self.roster.members
        return (is_settled and is_idle) or is_hopeless or self._clock.monotonic_us() >= self._stop_at_us

    def close(self) -> None:
        """End what is left and let go of everything; `run` does it at its end."""
        self._ports.spawner.stop()
        self.crew.close()
        self._close_database()
        self._database_lane.close()
        self._work_lane.close()
        self._waker.close()

    def _close_database(self) -> None:
        """Close the database's connections on the thread that they belong to, unless it hangs."""

        def call() -> None:
            self._ports.store.close()
            if self._ports.on_close is not None:
                self._ports.on_close()

        with suppress(RuntimeError):  # the lane is closed already
            wait([self._database_lane.submit(call)], timeout=1)

    def _wait(self, timeout_s: float) -> None:
        """Wait for a wake-up, an exit, or word that desired state changed; children are read at each tick."""
        descriptors = list(self._ports.spawner.filenos())
        if self.config.commits_at_once:
            descriptors += [child.connection.fileno() for child in self.crew.children.values()]
        store = self._ports.store.fileno() if self._round is None else None
        if store is not None:
            descriptors.append(store)
        if store in self._waker.wait(descriptors, timeout_s):
            self._round_due_us = 0
