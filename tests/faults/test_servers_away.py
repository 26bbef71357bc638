"""Postgres and Valkey that die, hang, refuse or forget: recording goes on, and the index catches up."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis

from omma.embedded.valkey import Valkey
from omma.tree.environment import python
from tests.bench.house import House
from tests.faults.plugin import FaultReport
from tests.faults.recorded import RecordedFarm, recorded_farm, settle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def assert_nothing_lost(farm: RecordedFarm, report: FaultReport) -> None:
    for stream in farm.streams:
        holes = farm.holes(stream)
        report.hole(holes.worst_s)
        assert holes.lost == 0
        assert "worker" not in farm.gap_causes(stream)
    farm.assert_honest()
    assert farm.rows_without_bytes() == []


@pytest.mark.fault("F40")
@pytest.mark.parametrize("away_s", [15, 45])
def test_postgres_killed_costs_no_picture_and_is_caught_up_with_once(
    fault_report: FaultReport, away_s: int
) -> None:
    with recorded_farm(cameras=2) as farm:
        worker, standby = farm.start_worker("first"), farm.start_worker("second")
        farm.wait_recorded()
        owners = [farm.owner_of(stream) for stream in farm.streams]
        os.kill(farm.house.postgres_pid, signal.SIGKILL)
        settle(away_s)
        farm.house.start_postgres()
        farm.wait_recorded()
        settle(9)  # the window in which nobody takes anything is over

        assert [farm.owner_of(stream) for stream in farm.streams] == owners
        query = "SELECT count(*), count(DISTINCT (stream_id, epoch, sequence)) FROM streams_segment"
        ((rows, distinct),) = farm.house.rows(query)
        assert rows == distinct
        for process in (worker, standby):
            process.send_signal(signal.SIGTERM)
        for process in (worker, standby):
            process.wait(20)
        assert_nothing_lost(farm, fault_report)


@pytest.mark.fault("F41")
def test_postgres_that_hangs_costs_no_picture(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=2) as farm:
        worker = farm.start_worker("first")
        farm.wait_recorded()
        backends = [farm.house.postgres_pid, *farm.house.postgres_backends()]
        for pid in backends:
            os.kill(pid, signal.SIGSTOP)
        settle(15)
        for pid in reversed(backends):
            os.kill(pid, signal.SIGCONT)
        farm.wait_recorded()
        farm.stop_worker(worker)
        assert_nothing_lost(farm, fault_report)


@pytest.mark.fault("F41")
def test_a_locked_table_costs_no_picture(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=2) as farm:
        worker = farm.start_worker("first")
        farm.wait_recorded()
        with psycopg.connect(farm.house.environment["DATABASE_URL"]) as locker:
            locker.execute("LOCK TABLE streams_segment, core_lease IN ACCESS EXCLUSIVE MODE")
            settle(15)
            locker.rollback()
        farm.wait_recorded()
        farm.stop_worker(worker)
        assert_nothing_lost(farm, fault_report)


@pytest.mark.fault("F41")
def test_postgres_without_a_free_connection_costs_no_picture(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=2) as farm:
        worker = farm.start_worker("first")
        farm.wait_recorded()
        with all_connections_taken(farm.house):
            settle(12)
        farm.wait_recorded()
        farm.stop_worker(worker)
        assert_nothing_lost(farm, fault_report)


@contextmanager
def all_connections_taken(house: House) -> Iterator[None]:
    """Cut the workers' connections, and take every one that Postgres gives."""
    taken: list[psycopg.Connection[object]] = []
    stopping = threading.Event()

    def take() -> None:
        while not stopping.is_set():
            try:
                taken.append(psycopg.connect(house.environment["DATABASE_URL"], connect_timeout=2))
            except psycopg.OperationalError:
                stopping.wait(0.02)

    takers = [threading.Thread(target=take) for _ in range(4)]
    for taker in takers:
        taker.start()
    try:
        with psycopg.connect(house.environment["DATABASE_URL"], autocommit=True) as own:
            settle(4)
            assert len(taken) > 10
            own.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'omma%'"
            )
            yield
    finally:
        stopping.set()
        for taker in takers:
            taker.join()
        for connection in taken:
            connection.close()


def kill(server: Valkey) -> None:
    assert server.process is not None
    server.process.kill()
    server.process.wait(10)


@pytest.mark.fault("F42", "F43")
def test_valkeys_that_die_or_forget_cost_no_picture(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=2) as farm:
        worker = farm.start_worker("first")
        farm.wait_recorded()
        for server in farm.house.valkeys():
            kill(server)
        settle(20)
        for server in farm.house.valkeys():
            server.start()
        for server in farm.house.valkeys():
            with redis.Redis.from_url(server.url) as client:
                client.flushall()
        settle(3)
        farm.wait_recorded()
        farm.stop_worker(worker)
        assert_nothing_lost(farm, fault_report)


@pytest.mark.fault("F42", "F43", "F46")
def test_jobs_are_done_although_the_broker_died_and_forgot_them(fault_report: FaultReport) -> None:
    with recorded_farm() as farm:
        broker, _ = farm.house.valkeys()
        farm.house.start_worker("default")
        beat = farm.house.start("beat", python("-m", "celery", "-A", "omma", "beat", "--pidfile="))
        query = "SELECT max(finished_at) FROM core_periodic_run WHERE job_id = 'streams.volumes'"
        before = farm.wait("first run", lambda: farm.house.rows(query)[0][0])
        kill(broker)
        settle(8)
        broker.start()
        began_s = time.monotonic()

        farm.wait("run after it", lambda: farm.house.rows(query)[0][0] > before, timeout_s=120)

        fault_report.note(
            f"periodic jobs went on {time.monotonic() - began_s:.0f} s after the broker's return"
        )
        assert beat.poll() is None


@pytest.mark.fault("F48")
def test_of_two_beats_one_works_and_the_other_takes_over(fault_report: FaultReport) -> None:
    with recorded_farm() as farm:
        farm.house.start_worker("default")
        beats = [
            farm.house.start(f"beat-{number}", python("-m", "celery", "-A", "omma", "beat", "--pidfile="))
            for number in range(2)
        ]
        query = "SELECT max(slot) FROM core_periodic_run WHERE job_id = 'streams.volumes'"
        newest = farm.wait("first slot", lambda: farm.house.rows(query)[0][0])
        for beat in beats:
            beat.kill()
            beat.wait()
            began_s = time.monotonic()
            if beat is beats[-1]:
                break
            farm.wait("next slot", lambda: farm.house.rows(query)[0][0] > newest, timeout_s=90)
            late_s = time.monotonic() - began_s
            assert late_s <= 90  # a slot is 30 s long, and at most 60 s late
            fault_report.note(f"the next slot came {late_s:.0f} s after one beat was killed")
        twice = "SELECT 1 FROM core_periodic_run GROUP BY job_id, slot HAVING count(*) > 1"
        assert farm.house.rows(twice) == []


@pytest.mark.fault("F49")
def test_a_table_that_grows_a_column_under_an_old_worker_costs_no_picture(fault_report: FaultReport) -> None:
    with recorded_farm(cameras=2) as farm:
        worker = farm.start_worker("old")
        farm.wait_recorded()
        for table in ("streams_source", "streams_segment", "streams_gap", "core_lease", "core_outbox"):
            farm.house.rows(f"ALTER TABLE {table} ADD COLUMN from_the_future integer NOT NULL DEFAULT 7")
            settle(1)
        migration = farm.house.start("migrate", python("manage.py", "migrate", "--noinput"))
        assert migration.wait(120) == 0
        farm.wait_recorded()
        younger = farm.start_worker("new")
        farm.stop_worker(worker)
        farm.wait_recorded()
        farm.stop_worker(younger)
        assert_nothing_lost(farm, fault_report)
