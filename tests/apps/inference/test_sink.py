"""A host's news become rows: fenced, whole, and the same when they are said again."""

from collections.abc import Callable
from unittest.mock import patch

import pytest
from django.db import OperationalError

from apps.core.models import Outbox
from apps.inference import rule_port, sinks
from apps.inference.models import Analytic, Event, MinuteSummary, Track
from apps.inference.moments import microseconds
from apps.inference.sinks import InferenceSink
from omma_engine.ids import uuid7
from omma_engine.ports import NewsItem
from tests.apps.inference.rows import BLOCK, START_US, Host, hold_lease, make_analytic, make_stream
from tests.factories import make_account

pytestmark = pytest.mark.django_db
SINK = InferenceSink()


@pytest.fixture
def analytic() -> Analytic:
    row = make_analytic(make_stream(make_account()))
    hold_lease(row)
    return row


def matched() -> list[tuple[str, int]]:
    """Return phase and `until` (ms after the start) of every `rule.matched`, in order."""
    rows = Outbox.objects.filter(kind="rule.matched").order_by("id")
    return [(row.payload["phase"], (row.payload["until_us"] - START_US) // 1000) for row in rows]


def test_a_track_is_one_row_from_its_opening_to_its_close(analytic: Analytic) -> None:
    host, track_id = Host(analytic), uuid7(START_US // 1000)

    SINK.commit([host.track("open", track_id=track_id)])
    assert Track.objects.get().is_live
    SINK.commit(
        [host.track("close", track_id=track_id, confidence=0.9, end_us=START_US + 5_000_000, hits=40)]
    )

    row = Track.objects.get()
    assert (row.id, row.confidence, row.hits, row.is_live) == (track_id, 0.9, 40, False)
    assert (microseconds(row.start), microseconds(row.end)) == (START_US, START_US + 5_000_000)
    assert (row.analytic_id, row.camera_id) == (analytic.id, analytic.camera_id)


def test_a_match_becomes_an_event_and_news_of_each_phase(analytic: Analytic) -> None:
    host, event_id = Host(analytic), uuid7(START_US // 1000)

    SINK.commit([host.match("start", event_id=event_id)])
    SINK.commit([host.match("update", event_id=event_id, until_s=2)])
    SINK.commit([host.match("end", event_id=event_id, until_s=3.5, confidence=0.95)])

    event = Event.objects.get()
    assert (event.kind, event.cause_kind, event.label, event.confidence) == ("rule", "rule", "person", 0.95)
    assert event.end is not None
    assert microseconds(event.end) == START_US + 3_500_000
    assert matched() == [("start", 0), ("update", 2000), ("end", 3500)]
    first = Outbox.objects.filter(kind="rule.matched").earliest("id")
    assert (first.subject_kind, first.subject_id) == ("event", event_id)
    assert first.camera_ids == [str(analytic.camera_id)]
    assert first.payload["rule_id"] == str(event.cause_id)
    assert list(
        Outbox.objects.filter(subject_kind="event").values_list("kind", flat=True).order_by("id")
    ) == [
        "rule.matched",
        "event.created",
        "rule.matched",
        "rule.matched",
        "event.updated",
    ]


def test_the_events_keep_the_rules_name(analytic: Analytic) -> None:
    with patch.object(rule_port, "_rule_names", [lambda ids: dict.fromkeys(ids, "People at night")]):
        SINK.commit([Host(analytic).match(event_id=uuid7())])

    assert Event.objects.get().cause_name == "People at night"


def test_news_said_twice_change_nothing(analytic: Analytic) -> None:
    host, event_id, track_id = Host(analytic), uuid7(), uuid7()
    news = [
        host.status(),
        host.track("open", track_id=track_id),
        host.match("start", event_id=event_id),
        host.match("update", event_id=event_id, until_s=2),
        host.say(kind="minute", minute_us=START_US, motion=0.4, labels={"person": 2}),
        host.match("end", event_id=event_id, until_s=3),
        host.track("close", track_id=track_id),
    ]

    SINK.commit(news)
    outbox = Outbox.objects.count()
    SINK.commit(news)

    assert Outbox.objects.count() == outbox
    assert (Track.objects.count(), Event.objects.count(), MinuteSummary.objects.count()) == (1, 1, 1)
    assert MinuteSummary.objects.get().labels == {"person": 2}


def test_news_under_an_older_epoch_are_fenced_out_and_others_are_kept(analytic: Analytic) -> None:
    other = make_analytic(make_stream(make_account("Other")))
    hold_lease(other, epoch=5 * BLOCK)

    fenced = SINK.commit([Host(analytic).track(), Host(other, epoch=4 * BLOCK + 9).track()])

    assert fenced == {other.id}
    assert [track.analytic_id for track in Track.objects.all()] == [analytic.id]


def test_a_new_life_closes_what_the_last_one_left_open(analytic: Analytic) -> None:
    host, event_id = Host(analytic), uuid7(START_US // 1000)
    SINK.commit(
        [
            host.status(),
            host.track(),
            host.match(event_id=event_id),
            host.match("update", event_id=event_id, until_s=2),
        ]
    )

    reborn = Host(analytic, epoch=BLOCK + 2)
    SINK.commit([reborn.status("waiting"), reborn.track(number=1)])

    assert list(Track.objects.order_by("number").values_list("number", "is_live")) == [(0, False), (1, True)]
    end = Event.objects.get().end
    assert end is not None
    assert microseconds(end) == START_US + 2_000_000
    assert matched()[-1] == ("end", 2000)


def test_minutes_of_several_analytics_are_one_row(analytic: Analytic) -> None:
    motion = make_analytic(analytic.stream, "motion", number=1)
    hold_lease(motion)

    SINK.commit(
        [
            Host(analytic).say(kind="minute", minute_us=START_US, motion=0.0, labels={"person": 2}),
            Host(motion).say(kind="minute", minute_us=START_US, motion=0.3, labels={"motion": 1}),
        ]
    )

    row = MinuteSummary.objects.get()
    assert (row.motion, row.labels) == (0.3, {"person": 2, "motion": 1})


def test_a_state_is_told_when_it_changes_and_figures_are_only_noted(analytic: Analytic) -> None:
    host = Host(analytic)

    SINK.commit([host.status()])
    SINK.commit([host.status(), host.status()])

    analytic.refresh_from_db()
    assert (analytic.status, analytic.analysed_fps, analytic.dropped_frames) == ("running", 4.9, 3)
    assert Outbox.objects.filter(kind="analytic.updated").count() == 1


def test_what_was_said_before_it_was_switched_off_does_not_switch_it_on(analytic: Analytic) -> None:
    Analytic.objects.update(is_enabled=False, status="stopped")

    SINK.commit([Host(analytic).status()])

    assert Analytic.objects.get().status == "stopped"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda host: host.say(kind="track_open"),
        lambda host: host.track(label=5),
        lambda host: host.status("dancing"),
    ],
)
def test_bad_news_of_one_analytic_cost_only_itself(
    analytic: Analytic, spoil: Callable[[Host], NewsItem]
) -> None:
    other = make_analytic(make_stream(make_account("Other")))
    hold_lease(other)

    fenced = SINK.commit([spoil(Host(analytic)), Host(other).track()])

    assert fenced == set()
    assert [track.analytic_id for track in Track.objects.all()] == [other.id]


def test_a_database_that_is_away_is_a_connection_error(analytic: Analytic) -> None:
    with (
        patch.object(sinks, "_apply", side_effect=OperationalError("gone")),
        patch("django.db.connection.close"),
        pytest.raises(ConnectionError, match="gone"),
    ):
        SINK.commit([Host(analytic).track()])
