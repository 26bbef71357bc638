"""Pages that others wrote (admin, Swagger UI, browsable API) work under our Content-Security-Policy."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_the_api_docs_show_every_operation(page: Page) -> None:
    page.goto("/api/docs/")

    expect(page.locator("#swagger-ui .title")).to_contain_text("Omma")
    page.locator("#operations-tag-cameras").click()
    expect(page.get_by_text("/api/v1/cameras/", exact=True).first).to_be_visible()
    page.locator("#operations-cameras-cameras_list .opblock-summary-control").click()
    expect(page.locator("#operations-cameras-cameras_list .opblock-body")).to_be_visible()


def test_the_browsable_api_shows_and_asks(page: Page) -> None:
    page.goto("/api/v1/tasks/")

    expect(page.get_by_role("heading", name="Task List")).to_be_visible()
    page.get_by_role("button", name="Filters").click()
    expect(page.locator("#filtersModal")).to_be_visible()


def test_the_admin_opens_lists_and_forms(page: Page) -> None:
    for address in (
        "/admin/",
        "/admin/cameras/camera/",
        "/admin/core/periodicjob/",
        "/admin/accounts/user/add/",
    ):
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200

    page.goto("/admin/accounts/account/")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_text("Add another Member").click()
    expect(page.locator("#members-1-account, #id_members-1-account")).to_be_attached()
