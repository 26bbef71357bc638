"""Workers that die, leave or lose their database: recording goes on, and the index stays true."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from apps.accounts.models import Account
from apps.core import own_connections
from apps.core.models import Lease, Node
from apps.streams.models import Gap, Segment, Stream
from tests.apps.streams.conftest import CaptureMaker, Wait, add_stream
from tests.apps.streams.test_capture import CAMERA, assert_no_overlap_and_no_hole, durable_until
from tests.apps.streams.worker import WorkerProcess
from tests.farm import Farm


def owner_of(stream: Stream) -> str:
    return Lease.objects.get(object_id=stream.source_id).owner


def epochs_of(stream: Stream) -> list[int]:
    rows = Segment.objects.filter(stream=stream, durable_bytes__gt=0).order_by("start")
    return list(rows.values_list("epoch", flat=True))


def assert_one_owner_at_a_time(stream: Stream) -> None:
    rows = Segment.objects.filter(stream=stream, durable_bytes__gt=0).order_by("start")
    for one, other in pairwise(rows):
        assert one.end <= other.start
        assert one.epoch <= other.epoch


@pytest.mark.fault("F32")
def test_another_worker_records_soon_after_one_was_killed(
    account: Account, make_capture: CaptureMaker, wait_until: Wait, data_dir: Path
) -> None:
    with Farm([CAMERA]) as farm, WorkerProcess("doomed", data_dir) as doomed:
        stream = add_stream(account, farm.url(0))
        wait_until(lambda: durable_until(stream))
        assert owner_of(stream) == "doomed"
        make_capture("survivor")
        killed_at = time.monotonic()

        doomed.kill()
        wait_until(lambda: owner_of(stream) == "survivor")
        wait_until(lambda: len(epochs_of(stream)) == 2, 10)

        assert time.monotonic() - killed_at < 10
        wait_until(lambda: Segment.objects.filter(stream=stream, state="recovered").exists())

    first, second = Segment.objects.filter(stream=stream, durable_bytes__gt=0).order_by("start")
    assert second.epoch >> 20 == (first.epoch >> 20) + 1
    assert (second.start - first.end).total_seconds() < 7
    assert Gap.objects.filter(stream=stream, cause="worker").count() == 1
    assert_one_owner_at_a_time(stream)
    assert_no_overlap_and_no_hole(stream)


@pytest.mark.fault("F34")
def test_a_worker_that_is_told_to_leave_hands_over_without_a_hole(
    account: Account, make_capture: CaptureMaker, wait_until: Wait, data_dir: Path
) -> None:
    with Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
        leaving = make_capture("leaving")
        wait_until(lambda: durable_until(stream))
        make_capture("staying")
        wait_until(lambda: Node.objects.filter(name="staying").exists())

        leaving.stop()

        assert owner_of(stream) == "staying"
        wait_until(lambda: len(set(epochs_of(stream))) == 2)
        wait_until(
            lambda: not Segment.objects.filter(stream=stream, state="open", epoch__lt=2 << 20).exists()
        )

    assert not Gap.objects.filter(stream=stream, cause="worker").exists()
    assert_one_owner_at_a_time(stream)
    assert_no_overlap_and_no_hole(stream)


def wait_for_growth(data_dir: Path, wait_until: Wait, *, times: int) -> None:
    """Wait until what is recorded has grown so many times."""
    for _ in range(times):
        before = recorded_bytes(data_dir)
        wait_until(lambda before=before: recorded_bytes(data_dir) > before + 10_000)


def recorded_bytes(data_dir: Path) -> int:
    return sum(path.stat().st_size for path in data_dir.rglob("*.mp4"))


@contextmanager
def database_away() -> Iterator[None]:
    """Refuse connections to the test's database, and cut those that there are."""
    name = connection.settings_dict["NAME"]
    connection.close()
    with admin_connection() as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def admin_connection() -> psycopg.Connection[tuple[object, ...]]:
    with own_connections.connect() as own:
        parameters = own.info.get_parameters()
    return psycopg.connect(
        **{**parameters, "dbname": "postgres", "password": connection.settings_dict["PASSWORD"]},
        autocommit=True,
    )


@pytest.mark.fault("F40")
def test_without_its_database_a_camera_is_recorded_and_nothing_is_lost(
    account: Account, make_capture: CaptureMaker, wait_until: Wait, data_dir: Path
) -> None:
    with Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
        supervisor = make_capture()
        wait_until(lambda: durable_until(stream))
        before = durable_until(stream)

        with database_away():
            wait_until(lambda: supervisor.is_database_away)
            wait_for_growth(data_dir, wait_until, times=3)

        wait_until(lambda: not supervisor.is_database_away)
        assert before is not None
        wait_until(lambda: ((durable_until(stream) or before) - before).total_seconds() > 1)
        supervisor.stop()

    assert len(epochs_of(stream)) == 1
    assert not Gap.objects.filter(stream=stream, cause="worker").exists()
    assert_no_overlap_and_no_hole(stream)
