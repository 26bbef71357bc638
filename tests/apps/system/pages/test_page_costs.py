"""What a page costs: queries do not grow with the rows, and pages are light."""

import html
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import Role
from tests.apps.system.pages.conftest import PageHouse, make_event, make_recording, make_view

Login = Callable[..., Client]

MOST_QUERIES = {
    "live": 16, "timeline": 16, "cameras": 16, "recordings": 16, "events": 17, "rules": 16, "exports": 16,
    "videos": 16,
    "models": 16,
}  # fmt: skip


def queries_of(browser: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(path).status_code == 200
    return len(captured)


@pytest.mark.parametrize("page", sorted(MOST_QUERIES))
@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER])
def test_more_rows_cost_no_more_queries(house: PageHouse, log_in: Login, page: str, role: Role) -> None:
    browser = log_in(role)
    path = reverse(f"pages:{page}")
    browser.get(path)
    few = queries_of(browser, path)

    for number in range(3, 15):
        make_view(house.account, f"Camera {number}")
    many = queries_of(browser, path)

    assert many == few
    assert many <= MOST_QUERIES[page]


def test_a_camera_page_costs_the_same_with_many_events(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.ADMIN)
    path = reverse("pages:camera", args=[house.door.camera.pk])
    browser.get(path)
    few = queries_of(browser, path)

    for _ in range(10):
        make_event(house.door.stream)
        make_recording(house.door.stream)

    assert queries_of(browser, path) == few


def test_lists_are_cut_into_pages(house: PageHouse, log_in: Login) -> None:
    browser = log_in(Role.VIEWER)
    assert "2 recordings" in browser.get(reverse("pages:recordings")).content.decode()
    for _ in range(50):
        make_recording(house.door.stream, is_held=True)

    first = browser.get(f"{reverse('pages:recordings')}?held=on").content.decode()
    second = browser.get(_next_page(first)).content.decode()
    last = browser.get(_next_page(second)).content.decode()

    assert [page.count('class="card"') for page in (first, second, last)] == [24, 24, 2]
    assert "held=on" in _next_page(first)
    assert 'rel="next"' not in last
    assert 'rel="prev"' not in first
    assert len(first.encode()) < 75_000


def _next_page(text: str) -> str:
    found = re.search(r'rel="next" href="([^"]*)"', text)
    assert found is not None
    return reverse("pages:recordings") + html.unescape(found[1])
