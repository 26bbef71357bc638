"""Senders as processes: killed in the middle, several at once, and targets that hang."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from apps.alerts import services
from apps.alerts.models import Delivery, TargetState
from apps.alerts.sender import Sender
from tests.apps.alerts.conftest import ACTOR, House, MakeTarget, fire, hand_over
from tests.apps.alerts.sink import Sink, answer, hang

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(is_true: Callable[[], Any], limit_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < deadline_s, f"not true within {limit_s} s"
        time.sleep(0.02)


@contextmanager
def sending_process() -> Iterator[subprocess.Popen[bytes]]:
    """Run `manage.py deliver` on the test's database."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "omma.settings.test",
        "DATABASE_URL": settings.DATABASE_URL.replace("/omma?", f"/{connection.settings_dict['NAME']}?"),
        "OMMA_SECRETS_DIR": str(settings.OMMA_SECRETS_DIR),
        "OMMA_EGRESS_ALLOW": "127.0.0.1/32",
    }
    process = subprocess.Popen([sys.executable, "manage.py", "deliver"], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=10)


def test_a_sender_killed_in_the_middle_loses_nothing(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    target = make_target()
    for number in range(5):
        fire(house, number=number)
    hand_over()
    sink.behaviours = [answer(204), hang(60)]

    with sending_process() as first:
        wait_until(lambda: len(sink.hits) == 2)
        first.kill()
        first.wait(timeout=10)
    killed = list(Delivery.objects.order_by("outbox_id").values_list("state", flat=True))
    assert TargetState.objects.get(target=target).claim is not None
    TargetState.objects.update(claimed_until=timezone.now())  # 20 s later
    with sending_process():
        wait_until(lambda: not Delivery.objects.filter(state="pending").exists())

    ids = [str(key) for key in Delivery.objects.order_by("outbox_id").values_list("pk", flat=True)]
    arrived = [hit.headers["webhook-id"] for hit in sink.hits]
    assert killed == ["delivered", "pending", "pending", "pending", "pending"]
    assert arrived == [ids[0], ids[1], ids[1], ids[2], ids[3], ids[4]]
    assert [hit.headers.get("omma-repeat") for hit in sink.hits] == [None, None, "1", None, None, None]


@contextmanager
def senders(count: int) -> Iterator[None]:
    started = [Sender() for _ in range(count)]
    for one in started:
        one.start()
    try:
        yield
    finally:
        for one in started:
            one.stop()
        wait_until(lambda: not _working())


def _working() -> bool:
    return any(thread.name.startswith("alerts") for thread in threading.enumerate())


def test_two_senders_send_each_delivery_once_and_in_order(
    house: House, make_target: MakeTarget, sink: Sink
) -> None:
    targets = [make_target(name=f"{n}", address=sink.url(f"/{n}")) for n in range(4)]
    with senders(2):
        for _ in range(10):
            fire(house)
        hand_over()
        wait_until(lambda: Delivery.objects.filter(state="delivered").count() == 40)

    for number, target in enumerate(targets):
        wanted = (
            Delivery.objects.filter(target=target).order_by("xid", "outbox_id").values_list("pk", flat=True)
        )
        arrived = [hit.headers["webhook-id"] for hit in sink.hits if hit.path == f"/{number}"]
        assert arrived == [str(key) for key in wanted]


def healthy_hits(sink: Sink) -> int:
    return sum(hit.path == "/healthy" for hit in sink.hits)


def has_hits(sink: Sink, count: int) -> bool:
    return healthy_hits(sink) >= count


def test_targets_that_hang_hold_up_nobody_else(house: House, make_target: MakeTarget, sink: Sink) -> None:
    for number in range(8):
        path = f"/hanging/{number}"
        sink.by_path[path] = hang(60)
        make_target(name=path, address=sink.url(path), timeout_s=10)
    healthy = make_target(name="healthy", address=sink.url("/healthy"))
    with senders(1):
        fire(house)
        hand_over()
        wait_until(lambda: len(sink.hits) == 9)
        began_s = time.monotonic()
        for _ in range(3):
            wanted = healthy_hits(sink) + 1
            services.test_target(actor=ACTOR, target=healthy)
            hand_over()
            wait_until(partial(has_hits, sink, wanted))
        took_s = time.monotonic() - began_s
        sink.release()

    assert took_s < 6, took_s
    assert Delivery.objects.filter(target=healthy, state="delivered").count() == 4
