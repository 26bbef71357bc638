"""F7, F8, F16: clocks of cameras that stand still, race, wrap, or tell another year."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omma_engine.types import SourceKind
from tests.engine.capture.driving import ZygoteDriver
from tests.engine.faults.watching import Watch
from tests.farm import CameraSpec, Farm, web
from tests.faults.plugin import FaultReport

SMALL = CameraSpec(width=320, height=240, fps=15)
RACING, WRAPPING, WRONG = 0, 1, (2, 3, 4, 5)
HOUR_S = 3600.0
RTP_WRAPS_AFTER_S = 6
TS_WRAP = 1 << 33


def offsets_s() -> list[float]:
    """Return how wrong the clocks are: 1970, 2037 (beyond NTP's first era), and time zones taken for UTC."""
    now_s = time.time()
    return [-now_s + 1000, 2_114_380_800 - now_s, 14 * HOUR_S, -14 * HOUR_S]


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    wrapping = replace(SMALL, first_rtp_time=(1 << 32) - RTP_WRAPS_AFTER_S * 90_000)
    wrong = [replace(SMALL, clock_offset_s=offset_s) for offset_s in offsets_s()]
    with Farm([SMALL, wrapping, *wrong]) as farm:
        yield farm


@pytest.mark.fault("F7")
@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.0, 0.5, 2.0])
def test_timestamps_of_a_wrong_rate_lose_nothing_and_bend_no_time(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path, rate: float, fault_report: FaultReport
) -> None:
    watch = Watch(zygote, farm.camera(RACING), tmp_path, segment_s=5)
    farm.camera(RACING).set_timestamp_rate(rate)
    began_s = time.monotonic()
    watch.child.listen_for(12)
    farm.camera(RACING).set_timestamp_rate(1.0)
    watch.stop()

    real_s = time.monotonic() - began_s + 5
    lengths_s = [
        (closed["end_us"] - opened["start_us"]) / 1e6
        for opened, closed in zip(watch.opened, watch.closed, strict=True)
    ]
    fault_report.note(f"rate {rate:g}: starts wrong by up to {max(map(abs, watch.start_errors_s())):.2f} s")
    assert watch.missing() == set()
    assert max(map(abs, watch.start_errors_s())) <= (1.0 if rate > 1 else 6.0)
    assert min(lengths_s) >= 0
    assert sum(lengths_s) <= real_s * 1.05
    watch.assert_explained()


@pytest.mark.fault("F8")
def test_an_rtp_clock_that_wraps_is_no_gap_and_no_cut(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    watch = Watch(zygote, farm.camera(WRAPPING), tmp_path)
    watch.child.wait(lambda: farm.camera(WRAPPING).ledger()[-1].rtp_time < 1 << 31)
    watch.child.listen_for(1)
    watch.stop()

    (stored,) = watch.stored()
    assert farm.camera(WRAPPING).ledger()[0].rtp_time > 1 << 31
    assert stored == list(range(stored[0], stored[-1] + 1))
    assert watch.child.news("gap") == []


@pytest.mark.fault("F8")
@pytest.mark.slow
def test_a_transport_stream_that_wraps_is_no_gap(
    zygote: ZygoteDriver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrap_us = time.time_ns() // 1000 + 20_000_000
    monkeypatch.setattr(
        web, "_ts_clock", lambda utc_us: (TS_WRAP + (utc_us - wrap_us) * 90_000 // 1_000_000) % TS_WRAP
    )
    with Farm([SMALL]) as farm:
        watch = Watch(zygote, farm.camera(0), tmp_path, url=farm.url(0, "hls"), kind=SourceKind.HLS)
        watch.child.listen_for(max(0.0, wrap_us / 1e6 - time.time()) + 8)
        watch.stop()
        made = {picture.sequence: picture.utc_us for picture in watch.camera.ledger()}

    (stored,) = watch.stored()
    assert made[stored[0]] < wrap_us < made[stored[-1]]
    assert stored == list(range(stored[0], stored[-1] + 1))
    assert watch.child.news("gap") == []


@pytest.mark.fault("F16")
def test_a_camera_of_another_year_is_recorded_in_our_time(
    zygote: ZygoteDriver, farm: Farm, tmp_path: Path
) -> None:
    watches = [Watch(zygote, farm.camera(number), tmp_path / str(number)) for number in WRONG]
    watches[0].child.listen_for(2.5, others=[watch.child for watch in watches[1:]])
    for watch in watches:
        watch.stop()

    for watch in watches:
        (news,) = watch.closed
        assert max(map(abs, watch.start_errors_s())) <= 1.0
        assert {news["clock"] for news in watch.child.news("segment_progress")} == {"arrival"}
        assert abs(news["camera_offset_us"] / 1e6 - watch.camera.spec.clock_offset_s) <= 1
