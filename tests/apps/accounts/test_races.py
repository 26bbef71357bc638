"""What must hold when many come at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection
from django.utils import timezone

from apps.accounts import services
from apps.accounts.actors import actor_of_user
from apps.accounts.models import Member
from apps.accounts.throttling import claim_try, counters_for
from apps.core.exceptions import ConflictError, ThrottledError
from apps.core.numbering import next_number
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
Result = TypeVar("Result")
THREADS = 8


def at_once(work: Callable[[int], Result], count: int = THREADS) -> list[Result]:
    """Run it in so many threads, each with a connection of its own, all starting together."""
    barrier = Barrier(count)

    def run(index: int) -> Result:
        try:
            barrier.wait(timeout=30)
            return work(index)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_tries_at_once_are_counted_one_after_the_other() -> None:
    now = timezone.now()

    def attempt(index: int) -> bool:
        try:
            claim_try(counters_for(name="ada", address=None), now=now)
        except ThrottledError:
            return False
        return True

    assert sum(at_once(attempt)) == 5


def test_numbers_are_given_out_once_and_without_holes() -> None:
    account = factories.make_account()

    numbers = at_once(lambda index: next_number(account, "camera"))

    assert sorted(numbers) == list(range(1, THREADS + 1))


def test_two_administrators_cannot_demote_each_other_at_once() -> None:
    account = factories.make_account()
    members = [factories.make_member(account, "admin") for _ in range(2)]
    actors = [actor_of_user(member.user) for member in members]

    def demote_the_other(index: int) -> bool:
        try:
            services.change_member(actor=actors[index], member=members[1 - index], role="viewer")
        except ConflictError:
            return False
        return True

    assert sorted(at_once(demote_the_other, 2)) == [False, True]
    assert Member.objects.filter(role="admin").count() == 1
