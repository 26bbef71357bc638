"""Streams that nothing writes are explained, until recording begins again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import Account
from apps.core.models import Lease
from apps.streams.explaining import explain_silence
from apps.streams.models import Gap, Mode, Source, SourceStatus, Stream, StreamLog
from apps.streams.sinks import CaptureSink
from apps.streams.tasks import trim_log
from apps.streams.volumes import ensure_default_volume
from tests.apps.streams.conftest import add_stream
from tests.apps.streams.news import at, own
from tests.apps.streams.test_sink import BLOCK, gaps_of, life_of
from tests.factories import make_account


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


def test_a_source_that_somebody_runs_explains_itself(stream: Stream) -> None:
    Lease.objects.update(lease_until=timezone.now() + timedelta(seconds=5))

    assert explain_silence(at(60)) == 0


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
