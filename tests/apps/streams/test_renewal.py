"""F38: a camera's process is renewed while it records, and no picture is missing."""

from uuid import UUID

import pytest
from django.conf import LazySettings

from apps.accounts.models import Account
from apps.streams.models import Gap, Segment
from tests.apps.streams.conftest import CaptureMaker, Wait, add_stream
from tests.apps.streams.test_capture import CAMERA, assert_no_overlap_and_no_hole
from tests.farm import Farm
from tests.farm.ledger import LedgerEntry, entries_in
from tests.faults.plugin import FaultReport

RENEWALS = 3


@pytest.mark.fault("F38")
@pytest.mark.slow
def test_a_renewed_process_loses_no_picture(
    account: Account,
    make_capture: CaptureMaker,
    wait_until: Wait,
    settings: LazySettings,
    fault_report: FaultReport,
) -> None:
    settings.OMMA_RENEW_HOURS = 6 / 3600
    with Farm([CAMERA]) as farm:
        stream = add_stream(account, farm.url(0))
        supervisor = make_capture()
        epochs = Segment.objects.filter(stream=stream, durable_bytes__gt=0).order_by().values("epoch")
        wait_until(lambda: epochs.distinct().count() > RENEWALS, 120)
        supervisor.stop()
        made = {one.sequence for one in farm.camera(0).ledger() if one.deliveries}

    stored = [entry.sequence for row in _rows(stream.id) for entry in _entries(row)]
    expected = {number for number in made if min(stored) <= number <= max(stored)}
    fault_report.note(f"{RENEWALS} renewals: {len(expected - set(stored))} of {len(expected)} pictures lost")
    assert expected <= set(stored)
    assert len({row.epoch >> 20 for row in _rows(stream.id)}) == 1  # under one lease
    assert not Gap.objects.filter(stream=stream, cause="worker").exists()
    assert_no_overlap_and_no_hole(stream)


def _rows(stream_id: UUID) -> list[Segment]:
    rows = Segment.objects.filter(stream_id=stream_id, durable_bytes__gt=0).exclude(state="garbage")
    return list(rows.select_related("volume").order_by("start"))


def _entries(row: Segment) -> list[LedgerEntry]:
    with open(f"{row.volume.root}/{row.path}", "rb") as file:  # noqa: PTH123
        data = file.read(row.durable_bytes)
    return [
        entry for _, _, offset, size, _ in row.fragments for entry in entries_in(data[offset : offset + size])
    ]
