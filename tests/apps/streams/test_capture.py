"""Real children, a real camera, a real database: what is captured becomes rows and files."""

import hashlib
import itertools
import os
import signal
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.core.models import Lease
from apps.streams import services
from apps.streams.models import Gap, Segment, Source, Stream
from omma_engine.supervise import Supervisor
from tests.apps.streams.conftest import CaptureMaker, Wait, add_stream
from tests.farm import CameraSpec, Farm

CAMERA = CameraSpec(width=320, height=240, fps=15, gop_s=0.5)


def durable_until(stream: Stream) -> datetime | None:
    row = Segment.objects.filter(stream=stream, durable_bytes__gt=0).order_by("-start").first()
    return row.end if row else None


def pid_of(supervisor: Supervisor, stream: Stream) -> int:
    spawner: Any = supervisor._ports.spawner
    pid: int = spawner._forked._children[str(stream.source_id)]
    return pid


def assert_no_overlap_and_no_hole(stream: Stream) -> None:
    rows = [(row.start, row.end) for row in Segment.objects.filter(stream=stream, durable_bytes__gt=0)]
    gaps = [(gap.start, gap.end) for gap in Gap.objects.filter(stream=stream) if gap.end]
    spans = sorted([*rows, *gaps])
    for (_, end), (start, _) in itertools.pairwise(spans):
        assert abs((start - end).total_seconds()) <= 0.25, spans


def test_a_camera_is_recorded_into_rows_and_a_file(
    account: Account, make_capture: CaptureMaker, wait_until: Wait, data_dir: Path
) -> None:
    with Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
        supervisor = make_capture()
        wait_until(lambda: durable_until(stream))
        supervisor.stop()

    segment = Segment.objects.get(stream=stream)
    file = data_dir / "volumes" / "default" / segment.path
    assert segment.state == "closed"
    assert segment.durable_bytes == file.stat().st_size
    assert segment.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (segment.codec, segment.width, segment.height) == ("h264", 320, 240)
    assert sum(one[3] for one in segment.fragments) + segment.init_size <= segment.durable_bytes
    assert Source.objects.get(id=stream.source_id).status == "stopped"
    assert Lease.objects.get(object_id=stream.source_id).owner == ""
    stream.refresh_from_db()
    assert (stream.codec, stream.width, stream.height) == ("h264", 320, 240)
    assert list(Gap.objects.filter(stream=stream).values_list("cause", flat=True)) == ["planned"]
    assert not list((data_dir / "volumes" / "default" / "journal").rglob("*.jsonl"))


def test_a_killed_child_is_recovered_and_its_hole_explained(
    account: Account, make_capture: CaptureMaker, wait_until: Wait
) -> None:
    with Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
        supervisor = make_capture()
        wait_until(lambda: durable_until(stream))

        os.kill(pid_of(supervisor, stream), signal.SIGKILL)
        wait_until(lambda: Segment.objects.filter(stream=stream, durable_bytes__gt=0).count() == 2)
        wait_until(lambda: Segment.objects.filter(stream=stream, state="recovered").exists())
        supervisor.stop()

    first, second = Segment.objects.filter(stream=stream).order_by("start")
    assert (first.state, second.state) == ("recovered", "closed")
    assert second.epoch == first.epoch + 1
    assert (second.start - first.end).total_seconds() < 4
    gap = Gap.objects.get(stream=stream, cause="worker")
    assert (gap.start, gap.end) == (first.end, second.start)
    assert_no_overlap_and_no_hole(stream)


def test_a_raw_source_is_recorded_by_a_child_of_its_own(
    account: Account, make_capture: CaptureMaker, wait_until: Wait
) -> None:
    stream = add_stream(account, "synthetic:yard", options={"width": 320, "height": 240, "fps": 10})
    supervisor = make_capture()
    wait_until(lambda: durable_until(stream), 30)
    supervisor.stop()

    segment = Segment.objects.get(stream=stream)
    assert (segment.state, segment.codec, segment.width) == ("closed", "h264", 320)


def test_a_dead_zygote_takes_its_children_along_and_all_come_back(
    account: Account, make_capture: CaptureMaker, wait_until: Wait
) -> None:
    with Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
        supervisor = make_capture()
        wait_until(lambda: durable_until(stream))
        spawner: Any = supervisor._ports.spawner
        zygote, child = spawner._forked.pid, pid_of(supervisor, stream)

        os.kill(zygote, signal.SIGKILL)
        wait_until(lambda: Segment.objects.filter(stream=stream, state="recovered").exists())
        wait_until(lambda: Segment.objects.filter(stream=stream, durable_bytes__gt=0).count() == 2)

        assert spawner._forked.pid not in {0, zygote}
        assert not Path(f"/proc/{child}").exists()
        supervisor.stop()

    assert_no_overlap_and_no_hole(stream)


@pytest.mark.fault("F14")
def test_a_camera_that_is_away_shows_why_and_is_a_gap(
    account: Account, make_capture: CaptureMaker, wait_until: Wait
) -> None:
    with Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
    make_capture()

    wait_until(lambda: Source.objects.get(id=stream.source_id).status == "reconnecting")

    source = Source.objects.get(id=stream.source_id)
    assert source.status_code == "unreachable"
    gap = Gap.objects.get(stream=stream, end__isnull=True)
    assert gap.cause == "network"


def test_a_mode_changes_without_a_restart(
    account: Account, make_capture: CaptureMaker, wait_until: Wait
) -> None:
    with Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
        supervisor = make_capture()
        wait_until(lambda: durable_until(stream))
        child = pid_of(supervisor, stream)

        services.set_mode(actor=system_actor(), stream=stream, mode="off")
        wait_until(lambda: Gap.objects.filter(stream=stream, cause="policy", end__isnull=True).exists())
        services.set_mode(actor=system_actor(), stream=stream, mode="events")
        wait_until(lambda: Segment.objects.filter(stream=stream, is_transient=True).exists())

        assert pid_of(supervisor, stream) == child
        supervisor.stop()

    assert Gap.objects.filter(stream=stream, cause="policy", end__isnull=False).count() == 1
    assert_no_overlap_and_no_hole(stream)
