"""Recorded and explained time together are all time, through one fault after another, and each hole has its
row with the right cause within five seconds.
"""

import os
import signal
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.streams import services
from apps.streams.models import Gap, Segment, Stream
from omma_engine.record.volume import IDENTITY_FILE
from tests.apps.streams.conftest import CaptureMaker, Wait, add_stream
from tests.apps.streams.test_capture import CAMERA, durable_until, pid_of
from tests.farm import Farm
from tests.faults.plugin import FaultReport

TOLD_WITHIN_S = 5.0
BESIDE_S = 0.25  # two spans this near are one run


def gaps_of(stream: Stream, cause: str) -> int:
    return Gap.objects.filter(stream=stream, cause=cause).count()


def spans_of(stream: Stream) -> list[tuple[float, float, str]]:
    """Return start, end and kind of all that is recorded or explained, in order; seconds since the epoch."""
    recorded = Segment.objects.filter(stream=stream, durable_bytes__gt=0)
    gaps = Gap.objects.filter(stream=stream, end__isnull=False)
    spans = [(row.start.timestamp(), row.end.timestamp(), "recorded") for row in recorded]
    spans += [(gap.start.timestamp(), gap.end.timestamp(), gap.cause) for gap in gaps if gap.end]
    return sorted(spans)


def told_after(wait_until: Wait, stream: Stream, cause: str, inject: Callable[[], object]) -> float:
    """Inject a fault and return how long it takes until a gap of this cause stands in the database."""
    before, began_s = gaps_of(stream, cause), time.monotonic()
    inject()
    wait_until(lambda: gaps_of(stream, cause) > before, 30)
    return time.monotonic() - began_s


def wait_for_more(wait_until: Wait, stream: Stream) -> None:
    """Wait until a new segment is durable, with nothing open but it."""
    before = Segment.objects.filter(stream=stream, durable_bytes__gt=0).count()
    wait_until(lambda: Segment.objects.filter(stream=stream, durable_bytes__gt=0).count() > before)
    wait_until(lambda: not Gap.objects.filter(stream=stream, end__isnull=True).exists())


@pytest.mark.fault("F1", "F2", "F4", "F14", "F22", "F31")
@pytest.mark.slow
def test_every_second_of_a_run_with_many_faults_is_recorded_or_explained(
    account: Account, make_capture: CaptureMaker, wait_until: Wait, data_dir: Path, fault_report: FaultReport
) -> None:
    identity = data_dir / "volumes" / "default" / IDENTITY_FILE
    told_s: dict[str, float] = {}
    with Farm([CAMERA]) as farm:
        camera, stream = farm.camera(0), add_stream(account, farm.url(0))
        supervisor = make_capture()
        wait_until(lambda: durable_until(stream))

        told_s["a reset"] = told_after(wait_until, stream, "network", camera.drop)
        wait_for_more(wait_until, stream)

        camera.answer(404)
        told_s["a refusal"] = told_after(wait_until, stream, "network", camera.drop)
        wait_until(
            lambda: stream.source.__class__.objects.get(id=stream.source_id).status_code == "not_found"
        )
        camera.resume()
        wait_for_more(wait_until, stream)

        told_s["a stall"] = told_after(wait_until, stream, "network", camera.stall)
        camera.resume()
        wait_for_more(wait_until, stream)

        told_s["a killed child"] = told_after(
            wait_until, stream, "worker", lambda: os.kill(pid_of(supervisor, stream), signal.SIGKILL)
        )
        wait_until(lambda: Segment.objects.filter(stream=stream, state="recovered").exists())

        off = lambda: services.set_mode(actor=system_actor(), stream=stream, mode="off")  # noqa: E731
        told_s["off"] = told_after(wait_until, stream, "policy", off)
        services.set_mode(actor=system_actor(), stream=stream, mode="continuous")
        wait_for_more(wait_until, stream)

        text = identity.read_text()
        identity.unlink()
        camera.drop()  # the volume is looked at when a segment begins
        wait_until(lambda: gaps_of(stream, "disk") or Gap.objects.filter(stream=stream, end=None).exists())
        identity.write_text(text)
        wait_for_more(wait_until, stream)
        supervisor.stop()

    spans = spans_of(stream)
    began_s = stream.created_at.timestamp()
    for before, after in pairwise(spans):
        assert abs(after[0] - before[1]) <= BESIDE_S, f"{before} is not followed by {after}"
    assert abs(spans[0][0] - began_s) <= BESIDE_S
    covered_s = sum(end - start for start, end, _ in spans)
    assert abs(covered_s - (spans[-1][1] - began_s)) <= BESIDE_S
    assert {kind for *_, kind in spans} >= {"recorded", "planned", "network", "worker", "policy"}
    worst = max(told_s, key=lambda name: told_s[name])
    fault_report.note(f"holes are told within {told_s[worst]:.1f} s ({worst})")
    assert told_s[worst] <= TOLD_WITHIN_S
