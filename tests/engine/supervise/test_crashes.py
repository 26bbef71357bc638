"""Children that die, hang or crash again and again."""

from uuid import UUID

import pytest

from omma_engine.ids import uuid7
from omma_engine.ports import Claimable, NewsItem
from omma_engine.supervise.capture_dialect import CaptureDialect
from omma_engine.supervise.dialect import Trouble
from tests.engine.supervise.fakes import FakeDatabase, Worker


@pytest.mark.fault("F31")
def test_a_killed_child_is_back_within_a_second_under_a_new_epoch(worker: Worker, source: UUID) -> None:
    worker.turn(1)
    worker.exit(source, -9)

    worker.turn(1)

    assert worker.spawner.spawned == 2
    assert worker.epoch_of(source) == (1 << 20) + 2


def test_restarts_back_off_and_calm_down(database: FakeDatabase, worker: Worker, source: UUID) -> None:
    worker.turn(1)
    waits = []
    for _ in range(8):
        worker.exit(source, 0, bye="unreachable")
        began_us, spawned = database.clock.monotonic_us(), worker.spawner.spawned
        while worker.spawner.spawned == spawned:
            worker.turn(0.25)
        waits.append((database.clock.monotonic_us() - began_us) / 1e6)

    assert waits[0] <= 1.0
    assert waits[:6] == sorted(waits[:6])
    assert 20 <= waits[-1] <= 31

    worker.turn(61)
    worker.exit(source, 0, bye="unreachable")
    worker.turn(1)
    assert worker.spawner.spawned == 10


@pytest.mark.fault("F35")
def test_the_third_crash_within_ten_minutes_parks_and_says_so(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    for _ in range(3):
        worker.exit(source, -11)
        worker.turn(3)

    assert worker.spawner.spawned == 3
    assert [item.payload for item in database.committed] == [{"trouble": "parked"}]

    worker.turn(301)
    assert worker.spawner.spawned == 4


def test_a_zygote_that_dies_again_and_again_parks_no_source(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    for _ in range(5):
        worker.spawner.end(str(source), -9, is_own=False)
        worker.turn(12)

    assert worker.spawner.spawned == 6
    assert database.committed == []


@pytest.mark.fault("F39")
def test_a_silent_child_is_killed_and_replaced(worker: Worker, source: UUID) -> None:
    worker.turn(1)
    child = worker.child(source)

    worker.turn(14, beating=False)

    assert child.is_killed
    assert worker.spawner.spawned == 2


def test_a_child_may_take_longer_before_its_first_word(worker: Worker, source: UUID) -> None:
    worker.turn(1, beating=False)
    child = worker.child(source)

    worker.turn(18, beating=False)
    assert not child.is_killed

    child.say(say="beat")
    worker.turn(10, beating=False)
    assert child.is_killed


def test_a_child_that_will_not_leave_is_killed(worker: Worker, database: FakeDatabase, source: UUID) -> None:
    worker.turn(1)
    child = worker.child(source)
    del database.wanted[source]

    worker.turn(7)

    assert child.is_killed
    assert database.owner_of(source) == ""


def test_what_a_dead_child_left_is_committed_and_its_journal_forgotten(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    epoch = (1 << 20) + 1
    left = [NewsItem(source, epoch, 7, {"kind": "segment_close"})]
    worker.salvager.left[source, epoch] = left

    worker.exit(source, -9)
    worker.turn(2)

    assert database.committed == left
    assert (source, epoch) in worker.salvager.settled_lives


@pytest.mark.fault("F35")
def test_a_parked_child_starts_at_once_when_somebody_asks_for_it(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    for _ in range(3):
        worker.exit(source, -9)
        worker.turn(3)
    assert worker.spawner.spawned == 3

    database.want(source, fingerprint="restarted by hand")
    worker.turn(2)

    assert worker.spawner.spawned == 4
    worker.exit(source, -9)
    worker.turn(2)
    assert worker.spawner.spawned == 5  # the count of crashes began afresh


def test_a_camera_that_cannot_run_is_a_gap_in_all_that_it_should_record() -> None:
    kept, off = str(uuid7()), str(uuid7())
    dialect = CaptureDialect(lambda item: item.spec, lambda _: [(kept, "events"), (off, "off")])
    item = Claimable(uuid7(), "1", None)

    state, gap = dialect.trouble(item, Trouble("parked", "crashed"), epoch=5, at_us=7_000_000)

    assert (state.payload["state"], state.payload["code"]) == ("failed", "parked")
    assert (gap.payload["stream_id"], gap.payload["cause"], gap.payload["end_us"]) == (kept, "worker", None)
    assert (gap.payload["start_us"], gap.sequence) == (7_000_000, -1)


@pytest.mark.fault("F23")
def test_a_child_that_waits_for_its_disk_is_shown_to_and_left_alone(
    worker: Worker, database: FakeDatabase, source: UUID
) -> None:
    worker.turn(1)
    child = worker.child(source)
    for waited_s in range(2, 40):
        child.say(say="beat", state="live", disk_wait_s=waited_s)
        worker.turn(1, beating=False)

    assert not child.is_killed
    assert [item.payload for item in database.committed] == [{"trouble": "slow_disk"}]
    child.say(say="beat", state="live")
    worker.turn(1, beating=False)
    child.say(say="beat", state="live", disk_wait_s=6)
    worker.turn(2, beating=False)
    assert len(database.committed) == 2
