"""The audit page: administrators see what was done in their accounts, found by who, what and when."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import Account, Role
from apps.core.audit import ActorRef, record
from tests.apps.system.pages.conftest import PageHouse

Login = Callable[..., Client]
ADA = ActorRef(kind="user", name="ada", address="203.0.113.7")


@pytest.fixture
def page(house: PageHouse) -> str:
    record(
        ADA, "camera.updated", subject_name="Door", account_id=house.account.pk, detail={"changed": ["name"]}
    )
    record(
        ActorRef(kind="user", name="bob"), "rule.deleted", subject_name="Gate", account_id=house.account.pk
    )
    record(ADA, "camera.created", subject_name="Foreign", account_id=Account.objects.create(name="Else").pk)
    return reverse("pages:audit")


def test_who_did_what_stands_there_in_words(page: str, log_in: Login) -> None:
    text = log_in(Role.ADMIN).get(page).content.decode()

    for words in ("by ada", "Camera changed", "Door", "changed: name", "203.0.113.7", "Rule removed"):
        assert words in text
    assert "Foreign" not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "ADA"}, {"Door"}),
        ({"search": "gate"}, {"Gate"}),
        ({"kind": "rule"}, {"Gate"}),
        ({"since": (timezone.now() + timedelta(days=1)).isoformat()}, set()),
        ({"until": (timezone.now() + timedelta(days=1)).isoformat()}, {"Door", "Gate"}),
    ],
)
def test_it_is_searched(page: str, log_in: Login, query: dict[str, str], found: set[str]) -> None:
    lines = log_in(Role.ADMIN).get(page, query).context["lines"]

    assert {line.entry.subject_name for line in lines if line.entry.subject_name} == found


def test_nonsense_is_told_at_the_field(page: str, log_in: Login) -> None:
    answer = log_in(Role.ADMIN).get(page, {"kind": "x", "since": "never"})

    assert answer.status_code == 422
    assert set(answer.context["filter_form"].errors) == {"kind", "since"}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_administrators_read_it(page: str, log_in: Login, role: Role) -> None:
    assert log_in(role).get(page).status_code == 403
