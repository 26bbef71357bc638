"""The pages in a real browser."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import log_in
from tests.e2e.running import RunningOmma, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.browser]


def test_the_wall_shows_moving_pictures_with_boxes(page: Page) -> None:
    video = page.locator(".tile video").first
    page.wait_for_function("document.querySelector('.tile video').currentTime > 0", timeout=20_000)
    before = video.evaluate("node => node.currentTime")

    page.wait_for_function(
        "start => document.querySelector('.tile video').currentTime > start + 1", arg=before
    )

    expect(page.locator(".tile .state").first).to_have_text("live")
    page.wait_for_function("Number(document.querySelector('.tile canvas').dataset.boxes) > 0", timeout=60_000)


def test_a_recording_plays_and_seeks(page: Page, omma: RunningOmma) -> None:
    with omma.client() as client:
        recording = wait_for(
            "recording",
            lambda: client.get("/api/v1/recordings/", params={"state": "done"}).json()["results"][:1],
            timeout_s=120,
        )[0]

    page.goto(f"/app/recordings/{recording['id']}/")
    page.wait_for_function("document.querySelector('video.player').currentTime > 0.3", timeout=20_000)
    duration = page.evaluate("document.querySelector('video.player').duration")
    page.evaluate("at => { document.querySelector('video.player').currentTime = at; }", duration * 0.6)
    page.wait_for_function(
        "at => { const v = document.querySelector('video.player'); return !v.seeking && v.currentTime >= at; }",
        arg=duration * 0.6,
        timeout=20_000,
    )

    assert duration > 5
    assert page.evaluate("document.querySelector('video.player').error") is None


def test_a_rule_with_a_zone_is_drawn_and_saved(page: Page, omma: RunningOmma) -> None:
    page.goto("/app/rules/add/")
    page.get_by_label("Name").fill("By the gate")
    page.get_by_role("checkbox", name="person").check()
    page.locator("input[name=cameras]").first.check()
    surface = page.locator(".zone svg")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box is not None
    for x, y in ((0.2, 0.2), (0.8, 0.2), (0.5, 0.8)):
        surface.click(position={"x": box["width"] * x, "y": box["height"] * y})
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/app/rules/")

    with omma.client() as client:
        rules = client.get("/api/v1/rules/").json()["results"]
    saved = next(rule for rule in rules if rule["name"] == "By the gate")
    assert len(saved["polygon"]) == 3
    assert saved["polygon"][0] == pytest.approx([0.2, 0.2], abs=0.02)


def test_a_wrong_address_is_named_before_anything_is_saved(page: Page, omma: RunningOmma) -> None:
    page.goto("/app/cameras/add/")
    page.get_by_label("Name").fill("Nowhere")
    page.get_by_label("Address").fill("gopher://camera.local/")
    page.get_by_role("button", name="Try the address").click()
    expect(page.locator("#probe [role=alert]")).to_be_visible()
    page.get_by_role("button", name="Add camera").click()

    expect(page.locator("main [role=alert]").first).to_contain_text("Address")
    with omma.client() as client:
        names = [camera["name"] for camera in client.get("/api/v1/cameras/").json()["results"]]
    assert "Nowhere" not in names


@pytest.mark.parametrize(
    "path", ["/app/", "/app/cameras/", "/app/recordings/", "/app/events/", "/app/rules/", "/app/system/"]
)
def test_no_page_scrolls_sideways_on_a_phone(phone: BrowserContext, path: str) -> None:
    page = phone.new_page()
    log_in(page)

    page.goto(path)

    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("path", ["/admin/", "/api/docs/", "/api/v1/cameras/"])
def test_admin_and_api_pages_work_under_the_policy(page: Page, path: str) -> None:
    response = page.goto(path)

    assert response is not None
    assert response.status == 200
