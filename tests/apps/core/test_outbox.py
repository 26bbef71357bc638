"""News is read once, in commit order, and never overtakes what is still being written."""

import threading
from collections.abc import Sequence
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.core import outbox
from apps.core.models import Outbox, OutboxPosition
from apps.core.outbox import Cursor, OutboxRow, publish, read_after
from apps.core.outbox_dispatch import MAX_FAILURES, Dispatcher
from tests.clocks import FakeClock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[OutboxRow]:
    """Replace all subscribers by one that collects `test.news`."""
    monkeypatch.setattr(outbox, "_subscribers", {})
    rows: list[OutboxRow] = []
    outbox.subscribe("test", ["test.news"], rows.append)
    return rows


def tell(kind: str = "test.news", **payload: object) -> Outbox:
    with transaction.atomic():
        return publish(kind, subject_kind="camera", subject_id=uuid4(), camera_ids=[uuid4()], payload=payload)


def test_news_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError, match=r"test\.news"):
        publish("test.news", subject_kind="camera", subject_id=None)

    assert Outbox.objects.count() == 0


def test_a_subscriber_gets_its_kinds_once_and_in_order(seen: list[OutboxRow]) -> None:
    tell(n=1)
    tell("test.other")
    tell(n=2)

    Dispatcher().deliver()
    Dispatcher().deliver()

    assert [row.payload for row in seen] == [{"n": 1}, {"n": 2}]


def test_a_position_passes_news_that_nobody_wants(seen: list[OutboxRow]) -> None:
    row = tell("test.other")

    Dispatcher().deliver()

    position = OutboxPosition.objects.get(subscriber="test")
    row.refresh_from_db()
    assert (position.xid, position.outbox_id) == (row.xid, row.id)
    assert seen == []


def test_news_that_is_still_being_written_is_not_overtaken(seen: list[OutboxRow]) -> None:
    wrote, may_commit = threading.Event(), threading.Event()

    def slow_writer() -> None:
        with transaction.atomic():
            publish("test.news", subject_kind="camera", subject_id=None, payload={"n": "first"})
            wrote.set()
            may_commit.wait(10)
        connection.close()

    writer = threading.Thread(target=slow_writer)
    writer.start()
    wrote.wait(10)
    tell(n="second")
    Dispatcher().deliver()
    before_commit = list(seen)
    may_commit.set()
    writer.join(10)
    Dispatcher().deliver()

    assert before_commit == []
    assert [row.payload["n"] for row in seen] == ["first", "second"]


def test_a_failing_handler_is_retried_after_a_pause_and_its_work_undone(seen: list[OutboxRow]) -> None:
    clock = FakeClock()
    failures = iter([True, False])

    def stumble(row: OutboxRow) -> None:
        OutboxPosition.objects.create(subscriber=f"work of {row.id}")
        if next(failures):
            raise ValueError("not today")
        seen.append(row)

    outbox.subscribe("test", ["test.news"], stumble)
    tell(n=1)
    dispatcher = Dispatcher(monotonic=lambda: clock.monotonic_us() / 1e6)

    dispatcher.deliver()
    position = OutboxPosition.objects.get(subscriber="test")
    assert (position.failures, position.last_error) == (1, "ValueError: not today")
    assert not OutboxPosition.objects.filter(subscriber__startswith="work of").exists()

    dispatcher.deliver()
    assert seen == []

    clock.advance(0.6)
    dispatcher.deliver()
    assert [row.payload for row in seen] == [{"n": 1}]
    assert OutboxPosition.objects.get(subscriber="test").failures == 0


def test_a_row_that_always_fails_does_not_hold_up_the_others(seen: list[OutboxRow]) -> None:
    clock = FakeClock()

    def refuse_first(row: OutboxRow) -> None:
        if row.payload["n"] == 1:
            raise ValueError("never")
        seen.append(row)

    outbox.subscribe("test", ["test.news"], refuse_first)
    tell(n=1)
    tell(n=2)
    dispatcher = Dispatcher(monotonic=lambda: clock.monotonic_us() / 1e6)

    for _ in range(MAX_FAILURES):
        dispatcher.deliver()
        clock.advance(61)

    assert [row.payload["n"] for row in seen] == [2]


def test_a_cursor_survives_its_text_form_and_refuses_others() -> None:
    assert Cursor.parse(str(Cursor(12, 7))) == Cursor(12, 7)
    with pytest.raises(ValueError, match="expected <number>-<number>"):
        Cursor.parse("12-x")


def test_reading_goes_on_from_a_cursor() -> None:
    first, second = tell(n=1), tell(n=2)
    first.refresh_from_db()

    rows = read_after(Cursor(first.xid, first.id))

    assert [row.id for row in rows] == [second.id]


def test_old_news_is_forgotten_and_its_cursors_are_told_so() -> None:
    tell(n=1)
    old_cursor = read_after(Cursor())[0].cursor
    tell(n=2)
    last = outbox.latest_cursor()

    count = outbox.forget_old(timezone.now() + outbox.KEPT)

    assert count == 2
    assert outbox.is_forgotten(old_cursor)
    assert not outbox.is_forgotten(last)


def test_a_reader_of_batches_takes_all_in_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_subscribers", {})
    batches: list[list[object]] = []
    outbox.subscribe_batches(
        "many", ["test.news"], lambda rows: batches.append([row.payload["n"] for row in rows])
    )
    for number in range(3):
        tell(n=number)
        tell("test.other")

    Dispatcher().deliver()
    Dispatcher().deliver()
    tell(n=3)
    Dispatcher().deliver()

    assert batches == [[0, 1, 2], [3]]


def test_a_bad_row_in_a_batch_is_tried_alone_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "_subscribers", {})
    clock = FakeClock()
    taken: list[list[object]] = []

    def take(rows: Sequence[OutboxRow]) -> None:
        if any(row.payload["n"] == 1 for row in rows):
            raise ValueError("not this one")
        taken.append([row.payload["n"] for row in rows])

    outbox.subscribe_batches("many", ["test.news"], take)
    for number in range(4):
        tell(n=number)
    dispatcher = Dispatcher(monotonic=lambda: clock.monotonic_us() / 1e6)

    for _ in range(MAX_FAILURES):
        dispatcher.deliver()
        clock.advance(61)
    dispatcher.deliver()

    assert [number for batch in taken for number in batch] == [0, 2, 3]
