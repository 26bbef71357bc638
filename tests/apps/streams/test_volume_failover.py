"""A camera's footage goes on with another volume while its own is away, and comes back."""

from contextlib import closing
from pathlib import Path

import pytest

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.core.models import Outbox
from apps.streams.models import Gap, Segment, Volume
from apps.streams.volume_services import add_volume, choose_volume
from apps.streams.volume_states import VolumeWatch
from tests.apps.streams.conftest import CaptureMaker, Wait, add_stream
from tests.apps.streams.test_capture import CAMERA, assert_no_overlap_and_no_hole
from tests.farm import Farm
from tests.faults.plugin import FaultReport


class Stopping:
    """Stops a watch when it is closed."""

    def __init__(self, watch: VolumeWatch) -> None:
        self.close = watch.stop


@pytest.mark.fault("F22")
@pytest.mark.slow
def test_another_volume_takes_over_within_seconds_and_everything_is_told(
    account: Account, make_capture: CaptureMaker, wait_until: Wait, tmp_path: Path, fault_report: FaultReport
) -> None:
    (tmp_path / "barn").mkdir()
    barn = add_volume(actor=system_actor(), name="barn", root=str(tmp_path / "barn"), min_free_bytes=0)
    watch = VolumeWatch(every_s=0.5)
    watch.start()
    with closing(Stopping(watch)), Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
        choose_volume(actor=system_actor(), stream=stream, volume=barn)
        supervisor = make_capture()
        wait_until(lambda: Segment.objects.filter(volume=barn, durable_bytes__gt=0).exists())

        (tmp_path / "barn" / "omma-volume.json").rename(tmp_path / "away.json")
        wait_until(lambda: Volume.objects.get(pk=barn.pk).state == "missing")
        others = Segment.objects.exclude(volume=barn).filter(durable_bytes__gt=0)
        wait_until(others.exists)

        (tmp_path / "away.json").rename(tmp_path / "barn" / "omma-volume.json")
        wait_until(lambda: Volume.objects.get(pk=barn.pk).state == "ready")
        supervisor.stop()

    assert_no_overlap_and_no_hole(stream)
    gaps = Gap.objects.filter(stream=stream, cause="disk", end__isnull=False)
    holes = [(gap.end - gap.start).total_seconds() for gap in gaps if gap.end]
    assert max(holes, default=0.0) <= 5.0
    fault_report.hole(max(holes, default=0.0))
    told = Outbox.objects.filter(kind="system.updated", subject_id=barn.pk).order_by("id")
    states = [row.payload["state"] for row in told if "state" in row.payload]
    assert states[-2:] == ["missing", "ready"]
