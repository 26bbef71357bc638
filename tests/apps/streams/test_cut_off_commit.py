"""A worker that is cut off in the middle of a commit keeps nobody from taking over."""

import time
from contextlib import closing
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from apps.accounts.models import Account
from apps.core import own_connections
from apps.core.leases import LEASE_S
from apps.streams.models import Source, Volume
from apps.streams.sinks import CaptureSink
from apps.streams.state_news import apply_state
from tests.apps.streams.conftest import add_stream
from tests.apps.streams.news import Life, own

BLOCK = 5


@pytest.mark.fault("F47")
def test_a_commit_that_hangs_half_way_ends_within_a_leases_time(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = add_stream(account, "synthetic:yard")
    own(stream, BLOCK)
    seen: list[str] = []

    def look(*news: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            seen.append(cursor.fetchone()[0])
        apply_state(*news)

    monkeypatch.setattr("apps.streams.sinks.apply_state", look)
    CaptureSink().commit([Life(stream, Volume.objects.get(), BLOCK << 20).state("live", 1)])

    (limit,) = seen
    assert 0 < float(limit.removesuffix("s")) < LEASE_S
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("0",)  # nobody else's transactions are cut short


@pytest.mark.fault("F47")
def test_what_such_a_transaction_locked_is_free_afterwards(account: Account) -> None:
    stream = add_stream(account, "synthetic:yard")
    own(stream, BLOCK)
    with closing(own_connections.connect("cut off")) as cut_off, own_connections.connect("other") as other:
        cut_off.execute("BEGIN")
        cut_off.execute("SET LOCAL idle_in_transaction_session_timeout = '200ms'")
        cut_off.execute("SELECT 1 FROM core_lease FOR SHARE")
        other.execute("SET lock_timeout = '10s'")

        locked = other.execute("SELECT 1 FROM core_lease FOR UPDATE").fetchall()

        assert locked == [(1,)]
        with pytest.raises(psycopg.InternalError):
            cut_off.execute("COMMIT")


@pytest.mark.fault("F47")
def test_a_commit_that_was_ended_meanwhile_is_a_lost_connection_and_repeated(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, sink = add_stream(account, "synthetic:yard"), CaptureSink()
    own(stream, BLOCK)
    news = [Life(stream, Volume.objects.get(), BLOCK << 20).state("live", 1)]

    def hang(*_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '100ms'")
        time.sleep(0.5)

    with monkeypatch.context() as cut_off:
        cut_off.setattr("apps.streams.sinks.apply_state", hang)
        with pytest.raises(ConnectionError):
            sink.commit(news)

    assert sink.commit(news) == set()
    assert Source.objects.get(id=stream.source_id).status == "live"
