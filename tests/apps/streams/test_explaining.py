"""Streams that nothing writes are explained, until recording begins again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Account
from apps.core.models import Lease
from apps.streams import explaining
from apps.streams.explaining import explain_silence
from apps.streams.models import Gap, Mode, Source, SourceStatus, Stream, StreamLog
from apps.streams.silence_watch import SilenceWatch
from apps.streams.sinks import CaptureSink
from apps.streams.tasks import trim_log
from apps.streams.volumes import ensure_default_volume
from tests.apps.streams.conftest import add_stream
from tests.apps.streams.news import at, own
from tests.apps.streams.test_sink import BLOCK, gaps_of, life_of
from tests.factories import make_account


@pytest.fixture(autouse=True)
def old_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' server may have been started a moment ago."""
    monkeypatch.setattr(explaining, "NO_STEAL_S", 0.0)


@pytest.fixture
def stream(db: Any, data_dir: Any) -> Stream:
    ensure_default_volume()
    account: Account = make_account()
    stream = add_stream(account, "synthetic:yard")
    Stream.objects.filter(id=stream.id).update(created_at=at(0))
    own(stream, BLOCK)
    CaptureSink().commit(life_of(stream).whole(1, 0, 10))
    return stream


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"is_wanted": False}, "policy"),
        ({"status": SourceStatus.ENDED}, "planned"),
        ({}, "worker"),
    ],
)
def test_silence_gets_a_cause(stream: Stream, change: dict[str, Any], cause: str) -> None:
    Source.objects.filter(id=stream.source_id).update(**change)

    assert explain_silence(at(60)) == 1
    assert explain_silence(at(90)) == 0

    assert gaps_of(stream) == [(at(10), None, cause)]


def test_silence_of_a_stream_that_is_off_is_policy(stream: Stream) -> None:
    Stream.objects.update(mode=Mode.OFF)

    explain_silence(at(60))

    assert gaps_of(stream) == [(at(10), None, "policy")]


def hold(lease_s: float = 5.0, seen_s: float = 0.0) -> None:
    """Let a worker hold the source's lease, and have renewed it so long ago."""
    now = timezone.now()
    Lease.objects.update(
        lease_until=now + timedelta(seconds=lease_s), seen_at=now - timedelta(seconds=seen_s)
    )


def test_a_source_that_somebody_runs_explains_itself(stream: Stream) -> None:
    hold()
    Source.objects.update(status=SourceStatus.LIVE)

    assert explain_silence(at(60)) == 0


@pytest.mark.fault("F32")
@pytest.mark.parametrize(("lease_s", "seen_s"), [(-1, 7), (4, 2)])  # ran out, or its owner's lock is free
def test_a_lease_of_the_dead_explains_nothing(stream: Stream, lease_s: float, seen_s: float) -> None:
    hold(lease_s, seen_s)
    Source.objects.update(status=SourceStatus.LIVE)

    assert explain_silence(at(13)) == 1
    assert gaps_of(stream) == [(at(10), None, "worker")]


def test_a_camera_that_has_yet_to_answer_is_explained(stream: Stream) -> None:
    hold()
    Source.objects.update(status=SourceStatus.CONNECTING, status_at=at(11))

    assert explain_silence(at(13)) == 0
    assert explain_silence(at(14)) == 1
    assert gaps_of(stream) == [(at(10), None, "network")]


@pytest.mark.fault("F40", "F47")
def test_footage_that_went_on_unheard_ends_the_silence(stream: Stream) -> None:
    sink, life = CaptureSink(), life_of(stream, number=2)
    sink.commit([life.opens(1, 10), life.grows(1, 0, 2)])
    explain_silence(at(60))

    sink.commit([life.grows(1, 2, 40)])  # its worker had been cut off

    assert gaps_of(stream) == []


def test_what_a_dead_child_left_shortens_the_silence(stream: Stream) -> None:
    sink, life = CaptureSink(), life_of(stream, number=2)
    sink.commit([life.opens(1, 10), life.grows(1, 0, 2)])
    explain_silence(at(60))

    sink.commit([life.grows(1, 2, 4), life.closes(1, 4, state="recovered")])

    assert gaps_of(stream) == [(at(14), None, "worker")]


def test_a_gap_that_is_told_late_ends_where_others_recorded(stream: Stream) -> None:
    CaptureSink().commit(life_of(stream, number=3).whole(1, 20, 5))

    CaptureSink().commit([life_of(stream, number=2).gap(10, None)])

    assert [gap[:2] for gap in gaps_of(stream)] == [(at(10), at(20))]


def test_after_a_time_without_a_look_nobody_is_believed_dead() -> None:
    now_s = [100.0]
    looks: list[float] = []

    def look() -> int:
        looks.append(now_s[0])
        return 0

    watch = SilenceWatch(look, lambda: now_s[0])

    for step_s in (1, *[1] * 8, 20, *[1] * 8):  # the database hung for 20 s
        now_s[0] += step_s
        watch.look()

    assert looks == [108.0, 109.0, 136.0, 137.0]


def test_a_short_silence_is_left_to_the_restart(stream: Stream) -> None:
    assert explain_silence(at(12)) == 0


def test_recording_ends_the_silence(stream: Stream) -> None:
    explain_silence(at(60))

    CaptureSink().commit(life_of(stream, number=2).whole(1, 100, 4))

    assert gaps_of(stream) == [(at(10), at(100), "worker")]
    assert Gap.objects.filter(end__isnull=True).count() == 0


def test_the_log_is_trimmed_to_a_month_and_the_last_entry(stream: Stream) -> None:
    StreamLog.objects.all().delete()
    for days in (40, 35):
        StreamLog.objects.create(
            account_id=stream.account_id,
            camera_id=stream.camera_id,
            source_id=stream.source_id,
            at=timezone.now() - timedelta(days=days),
            status="in_progress",
        )

    assert trim_log() == "1 log entries deleted"
    assert StreamLog.objects.count() == 1
