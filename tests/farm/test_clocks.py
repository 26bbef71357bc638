"""Sender reports and RTP clocks of virtual cameras tell the time that they were told to tell."""

import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.farm import CameraSpec, Farm
from tests.farm.reading import Seen, open_stream, packets_of, read_some

SMALL = CameraSpec(width=320, height=180, fps=30, gop_s=0.5)
TRUE, FOURTEEN_HOURS_LATE, SILENT, WRAPPING = range(4)
LATE_S = -14 * 3600.0
NTP_TO_UNIX_S = 2_208_988_800


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    specs = [
        SMALL,
        replace(SMALL, clock_offset_s=LATE_S, sender_report_interval_s=0.3),
        replace(SMALL, sender_reports=False),
        replace(SMALL, first_rtp_time=2**32 - 2 * 90_000),
    ]
    with Farm(specs) as running:
        yield running


def reports_of(seen: list[Seen]) -> list[tuple[float, int]]:
    """Return (Unix time in seconds, RTP time) of each report that FFmpeg hands out (AVRTCPSenderReport)."""
    raw = [packet.side_data["rtcp_sr"] for packet in seen if "rtcp_sr" in packet.side_data]
    found = [struct.unpack("<IxxxxQIII", report[:28]) for report in raw]
    return [(ntp / 2**32 - NTP_TO_UNIX_S, rtp) for _, ntp, rtp, _, _ in found]


@pytest.mark.parametrize(("number", "offset_s"), [(TRUE, 0.0), (FOURTEEN_HOURS_LATE, LATE_S)])
def test_reports_tell_the_cameras_clock(farm: Farm, number: int, offset_s: float) -> None:
    with open_stream(farm.url(number)) as container:
        seen = read_some(packets_of(container, decoded=False), 12)

    made = {each.rtp_time: each.utc_us for each in farm.camera(number).ledger()}
    reports = reports_of(seen)
    assert reports
    for told_s, rtp_time in reports:
        assert told_s == pytest.approx(made[rtp_time] / 1e6 + offset_s, abs=0.001)
    assert abs(reports[0][0] - offset_s - time.time()) < 5


def test_reports_come_again_after_their_interval(farm: Farm) -> None:
    with open_stream(farm.url(FOURTEEN_HOURS_LATE)) as container:
        seen = read_some(packets_of(container, decoded=False), 28)

    assert len({rtp_time for _, rtp_time in reports_of(seen)}) >= 3


def test_a_camera_can_be_without_reports(farm: Farm) -> None:
    with open_stream(farm.url(SILENT)) as container:
        assert reports_of(read_some(packets_of(container, decoded=False), 10)) == []


@pytest.mark.fault("F8")
def test_the_rtp_clock_wraps_and_times_go_on(farm: Farm) -> None:
    camera = farm.camera(WRAPPING)

    with open_stream(camera.url()) as container:
        seen = read_some(packets_of(container, decoded=False), 10)
        deadline = time.monotonic() + 5
        packets = packets_of(container, decoded=False)
        while camera.ledger()[-1].rtp_time > 2**31 and time.monotonic() < deadline:
            seen += read_some(packets, 10)
        seen += read_some(packets, 10)

    times = [packet.pts for packet in seen if packet.pts is not None]
    assert camera.ledger()[0].rtp_time > 2**31 > camera.ledger()[-1].rtp_time
    assert {after - before for before, after in pairwise(times)} == {3000}
