"""How lives move on: news, lost workers, restarts, pauses, and what the log says of it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.access import system_actor
from apps.accounts.actors import actor_of_user
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.exceptions import ForbiddenError, InvalidInputError, NotVisibleError
from apps.core.models import AuditEntry, Lease, Node, Outbox
from apps.core.times import to_us
from apps.streams import life_services, life_watch
from apps.streams.life import Life
from apps.streams.life_log import Entry, LogQuery, add_entry, entries_for
from apps.streams.life_services import RestartPolicy
from apps.streams.models import Source, StreamLog
from apps.streams.state_news import apply_state
from apps.streams.volumes import ensure_default_volume
from omma_engine.ids import uuid7
from tests.apps.streams.conftest import add_stream
from tests.factories import make_account, make_limited_member, make_member

BLOCK = 1 << 20
ACTOR = system_actor()


@pytest.fixture
def home(db: Any, data_dir: Any) -> Account:
    ensure_default_volume()
    return make_account()


@pytest.fixture
def source(home: Account) -> Source:
    return add_stream(home, "synthetic:yard").source


def say(
    source: Source, state: str, code: str = "", *, epoch: int = BLOCK + 1, at: datetime | None = None
) -> None:
    at_us = to_us(at or timezone.now())
    apply_state(source.pk, {"state": state, "code": code, "detail": f"{code} said", "at_us": at_us}, epoch)


def give(source: Source, owner: str, *, block: int = 1, ago_s: float = -5) -> None:
    """Give the lease to a worker; it runs out in five seconds, or ran out so long ago."""
    until = timezone.now() - timedelta(seconds=ago_s)
    values = {"kind": "source", "owner": owner, "epoch": block << 20, "lease_until": until}
    Lease.objects.update_or_create(object_id=source.pk, defaults=values)


def words(source: Source) -> list[str]:
    return list(StreamLog.objects.filter(source=source).order_by("id").values_list("status", flat=True))


def fresh(source: Source) -> Source:
    return Source.objects.get(pk=source.pk)


def set_policy(source: Source, limit: int | None, delay_s: float = 0.0) -> None:
    life_services.set_restart_policy(actor=ACTOR, source=source, policy=RestartPolicy(limit, delay_s))


def test_a_new_stream_is_pending_and_says_who_made_it(source: Source) -> None:
    entry = StreamLog.objects.get()

    assert (entry.status, entry.actor_name, source.life) == ("pending", "Omma", "pending")


def test_a_stream_works_fails_and_works_again(source: Source) -> None:
    give(source, "capture@a")
    for state, code in (
        ("connecting", ""), ("live", ""), ("reconnecting", "unreachable"), ("reconnecting", "unreachable"),
        ("reconnecting", "stalled"), ("live", ""),
    ):  # fmt: skip
        say(source, state, code)

    assert words(source) == [
        "pending", "in_progress", "failure", "restart", "failure", "restart", "in_progress",
    ]  # fmt: skip
    failures = StreamLog.objects.filter(status="failure").order_by("id")
    assert [(one.code, one.detail) for one in failures] == [
        ("unreachable", "unreachable said"), ("stalled", "stalled said"),
    ]  # fmt: skip
    assert {one.handler for one in failures} == {"capture@a"}


def test_each_entry_is_news_of_its_stream(source: Source) -> None:
    Outbox.objects.all().delete()
    say(source, "reconnecting", "unreachable")

    rows = Outbox.objects.filter(kind="stream.status").order_by("id")

    assert [(row.payload["status"], row.payload["error"]) for row in rows] == [
        ("failure", "unreachable said"), ("restart", ""),
    ]  # fmt: skip
    assert {row.subject_id for row in rows} == {source.streams.get().pk}


def test_wrong_credentials_are_a_failure_though_the_camera_is_asked_again(source: Source) -> None:
    say(source, "reconnecting", "unauthorized")

    row = fresh(source)

    assert (row.life, row.is_wanted, life_services.restart_state(row)) == ("failure", True, "denied")


def test_a_limit_of_restarts_is_used_up(source: Source) -> None:
    set_policy(source, 2)
    give(source, "capture@a")
    for _ in range(3):
        say(source, "connecting")
        say(source, "reconnecting", "unreachable")
        say(source, "stopped")
        life_watch.look_at_all()

    row = fresh(source)
    assert words(source) == [
        "pending", "failure", "restart", "pending", "failure", "restart", "pending", "failure",
    ]  # fmt: skip
    assert (row.is_wanted, row.has_given_up, row.restart_attempt, row.restart_due_at) == (
        False,
        True,
        2,
        None,
    )
    assert row.restarted_at is not None
    assert life_services.restart_state(row) == "failed"
    assert (row.life_code, row.life_detail) == ("unreachable", "unreachable said")


def test_a_worker_that_claims_anew_for_a_restart_is_not_lost(source: Source) -> None:
    set_policy(source, 1)
    give(source, "capture@a")
    say(source, "reconnecting", "unreachable")
    life_watch.look_at_all()  # restarted, and the lease is still the last child's
    life_watch.look_at_all()

    give(source, "capture@a", block=2)
    life_watch.look_at_all()

    assert words(source) == ["pending", "failure", "restart", "pending"]


def test_a_restart_waits_its_delay(source: Source) -> None:
    set_policy(source, 2, delay_s=60)
    give(source, "capture@a")
    say(source, "reconnecting", "unreachable")

    life_watch.look_at_all()
    assert fresh(source).life == "restart"
    Source.objects.update(restart_due_at=timezone.now())
    life_watch.look_at_all()

    row = fresh(source)
    assert (row.life, row.is_wanted, row.restart_serial) == ("pending", True, 1)


def test_fatal_errors_are_not_restarted(source: Source) -> None:
    set_policy(source, 5)
    say(source, "reconnecting", "not_found")

    row = fresh(source)

    assert (row.life, row.is_wanted, row.restart_due_at) == ("failure", False, None)
    assert life_services.restart_state(row) == "denied"


def test_who_has_worked_for_a_minute_has_all_attempts_again(source: Source) -> None:
    set_policy(source, 1, delay_s=10)
    Source.objects.update(restart_attempt=1)
    now = timezone.now()
    say(source, "live", at=now - timedelta(seconds=70))
    say(source, "reconnecting", "unreachable", at=now)

    row = fresh(source)

    assert (row.life, row.restart_attempt) == ("restart", 0)


def test_what_an_earlier_attempt_says_late_counts_for_nothing(source: Source) -> None:
    set_policy(source, 1)
    before = timezone.now()
    say(source, "reconnecting", "unreachable")
    life_watch.look_at_all()

    say(source, "reconnecting", "unreachable", at=before)

    assert fresh(source).life == "pending"


def test_a_lost_worker_is_logged_and_the_stream_waits_for_another(source: Source) -> None:
    give(source, "capture@a")
    say(source, "live")
    give(source, "capture@a", ago_s=4)

    life_watch.look_at_all()
    life_watch.look_at_all()
    give(source, "capture@b", block=2)
    life_watch.look_at_all()
    say(source, "live", epoch=2 * BLOCK + 1)

    assert words(source) == ["pending", "in_progress", "handler_lost", "restart", "pending", "in_progress"]
    lost = StreamLog.objects.get(status="handler_lost")
    assert (lost.detail, fresh(source).handler) == ("its worker is gone", "capture@b")


def test_a_takeover_before_the_lease_ran_out_is_a_lost_worker_too(source: Source) -> None:
    give(source, "capture@a")
    say(source, "live")
    give(source, "capture@b", block=2)

    say(source, "connecting", epoch=2 * BLOCK + 1)

    assert words(source) == ["pending", "in_progress", "handler_lost", "restart", "pending"]


def test_a_worker_that_says_goodbye_is_not_lost(source: Source) -> None:
    give(source, "capture@a")
    say(source, "live")
    say(source, "stopped")
    give(source, "")
    life_watch.look_at_all()
    give(source, "capture@b", block=2)
    life_watch.look_at_all()
    say(source, "live", epoch=2 * BLOCK + 1)

    assert words(source) == ["pending", "in_progress", "pending", "in_progress"]


def test_a_worker_that_hands_over_is_not_lost(source: Source) -> None:
    give(source, "capture@a")
    Node.objects.create(
        name="capture@a", kind="capture", boot_id=uuid7(), pid=1, is_draining=True, seen_at=timezone.now()
    )
    say(source, "live")
    give(source, "capture@b", block=2)

    say(source, "live", epoch=2 * BLOCK + 1)

    assert words(source) == ["pending", "in_progress"]


def test_stop_pause_and_resume_tell_whether_they_changed_anything(source: Source) -> None:
    said = [
        life_services.resume_source(actor=ACTOR, source=source),
        life_services.stop_source(actor=ACTOR, source=source),
        life_services.stop_source(actor=ACTOR, source=source),
        life_services.pause_source(actor=ACTOR, source=source),
        life_services.resume_source(actor=ACTOR, source=source),
        life_services.pause_source(actor=ACTOR, source=source),
        life_services.pause_source(actor=ACTOR, source=source),
        life_services.stop_source(actor=ACTOR, source=source),
    ]

    assert said == [False, True, False, False, True, True, False, True]
    assert words(source) == ["pending", "stop", "pending", "paused", "stop"]
    assert list(AuditEntry.objects.filter(subject_kind="source").values_list("action", flat=True)) == [
        "source.stopped", "source.resumed", "source.paused", "source.stopped",
    ]  # fmt: skip
    assert fresh(source).is_wanted is False


def test_a_pause_ends_by_itself(source: Source) -> None:
    until = timezone.now() + timedelta(hours=1)
    life_services.pause_source(actor=ACTOR, source=source, until=until)
    life_watch.look_at_all()
    assert fresh(source).life == "paused"

    Source.objects.update(paused_until=timezone.now())
    life_watch.look_at_all()

    row = fresh(source)
    assert (row.life, row.is_wanted, row.paused_until) == ("pending", True, None)


def test_a_pause_that_is_over_already_is_refused(source: Source) -> None:
    with pytest.raises(InvalidInputError) as refused:
        life_services.pause_source(actor=ACTOR, source=source, until=timezone.now())

    assert (refused.value.field, fresh(source).life) == ("until", "pending")


def test_a_camera_that_is_switched_off_is_stopped_and_comes_back(source: Source) -> None:
    give(source, "capture@a")
    say(source, "live")
    Camera.objects.update(is_enabled=False)
    life_watch.look_at_all()
    stopped = fresh(source).life
    resumed = life_services.resume_source(actor=ACTOR, source=source)
    Camera.objects.update(is_enabled=True)
    life_watch.look_at_all()

    assert (stopped, resumed, fresh(source).life) == ("stop", False, "in_progress")


def test_a_source_that_is_as_its_row_says_is_left_alone(source: Source) -> None:
    give(source, "capture@a")
    say(source, "live")

    assert life_watch.look_at_all() == 0


@pytest.mark.parametrize(("policy", "field"), [
    (RestartPolicy(-1), "restart_limit"), (RestartPolicy(1001), "restart_limit"),
    (RestartPolicy(1, -1.0), "restart_delay_s"), (RestartPolicy(1, float("nan")), "restart_delay_s"),
])  # fmt: skip
def test_a_bad_policy_names_its_field(source: Source, policy: RestartPolicy, field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        life_services.set_restart_policy(actor=ACTOR, source=source, policy=policy)

    assert (refused.value.field, fresh(source).restart_limit) == (field, None)


def test_only_who_manages_the_camera_may(home: Account, source: Source) -> None:
    operator = actor_of_user(make_member(home, "operator").user)
    stranger = actor_of_user(make_member(make_account("Other"), "admin").user)

    for actor, error in ((operator, ForbiddenError), (stranger, NotVisibleError)):
        for verb in (life_services.stop_source, life_services.pause_source, life_services.resume_source):
            with pytest.raises(error):
                verb(actor=actor, source=source)
    assert fresh(source).life == "pending"


def entry(source: Source, status: Life, days_ago: float, index: int | None = None) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    add_entry(source, Entry(status, at, analytic_index=index))


def test_the_log_is_asked_by_stream_status_time_and_analytic(home: Account, source: Source) -> None:
    other = add_stream(home, "synthetic:yard?seed=2").source
    StreamLog.objects.all().delete()
    entry(source, Life.FAILURE, 3)
    entry(source, Life.PAUSED, 2, index=0)
    entry(source, Life.IN_PROGRESS, 1, index=1)
    entry(other, Life.FAILURE, 0)
    stream = source.streams.get()

    def found(**query: Any) -> list[str]:
        rows = entries_for(StreamLog.objects.all(), LogQuery(**query))
        return [row.status for row in rows]

    now = timezone.now()
    assert found(stream_ids=[stream.pk]) == ["in_progress", "paused", "failure"]
    assert found(statuses=["failure"]) == ["failure", "failure"]
    assert found(stream_ids=[stream.pk], analytic_indexes=[0]) == ["paused", "failure"]
    assert found(since=now - timedelta(days=2.5), until=now - timedelta(days=0.5)) == [
        "in_progress",
        "paused",
    ]


def test_cleaning_keeps_the_last_entry_of_each_and_what_is_not_ones_own(
    home: Account, source: Source
) -> None:
    foreign = add_stream(make_account("Other"), "synthetic:yard?seed=2").source
    limited = actor_of_user(make_limited_member(home, "admin", [source.camera]).user)
    hidden = add_stream(home, "synthetic:yard?seed=3").source
    StreamLog.objects.all().delete()
    for one in (source, hidden, foreign):
        entry(one, Life.PENDING, 3)
        entry(one, Life.IN_PROGRESS, 2)

    assert life_services.clean_log(actor=limited, before=timezone.now()) == 1

    assert [words(one) for one in (source, hidden, foreign)] == [
        ["in_progress"], ["pending", "in_progress"], ["pending", "in_progress"],
    ]  # fmt: skip
