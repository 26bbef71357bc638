"""The timeline in a real browser: several cameras on one clock, keys, gaps, selections and exports."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import until
from tests.e2e.running import RunningOmma, camera_named, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

CLOCK = "Date.parse(document.querySelector('[data-part=now]').dateTime)"
PLAYERS = "[...document.querySelectorAll('[data-player] video')]"
HAS_PICTURES = f"() => {PLAYERS}.length && {PLAYERS}.every((video) => video.readyState >= 2)"


@pytest.fixture(scope="module")
def footage(omma: RunningOmma) -> dict[str, Any]:
    """Return two cameras, and a moment at which both had been recorded for a while."""
    with omma.client() as client:
        cameras = [camera_named(client, name) for name in ("Virtual yard", "Virtual room")]

        def covered() -> dict[str, Any] | None:
            now = datetime.now(UTC)
            query = {
                "camera": [camera["id"] for camera in cameras],
                "start": (now - timedelta(hours=1)).isoformat(),
                "end": now.isoformat(),
            }
            spans = client.get("/api/v1/timeline/", params=query).json()["streams"]
            both = [max(one["covered"], key=_length, default=None) for one in spans]
            start = max((one["start"] for one in both if one), default="")
            end = min((one["end"] for one in both if one), default="")
            return {"start": start, "end": end} if all(both) and _seconds(start, end) > 12 else None

        common = wait_for("footage of both cameras", covered, timeout_s=120)
    return {"cameras": cameras, **common}


def _seconds(start: str, end: str) -> float:
    if not start or not end:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def _length(span: dict[str, Any]) -> float:
    return _seconds(span["start"], span["end"])


def address_of(footage: dict[str, Any], *, after_s: float = 2.0, span_s: int = 120) -> str:
    moment = datetime.fromisoformat(footage["start"]) + timedelta(seconds=after_s)
    query = {
        "camera": [camera["id"] for camera in footage["cameras"]],
        "at": moment.isoformat(),
        "span": span_s,
    }
    return f"/app/timeline/?{urlencode(query, doseq=True)}"


def press(page: Page, *keys: str) -> None:
    page.locator("[data-part=bar]").focus()
    for key in keys:
        page.keyboard.press(key)


def test_two_cameras_play_on_one_clock(page: Page, footage: dict[str, Any]) -> None:
    page.goto(address_of(footage))
    until(page, HAS_PICTURES)
    before = page.evaluate(f"() => {CLOCK}")

    page.get_by_role("button", name="Play", exact=True).click()
    until(page, f"before => {CLOCK} > before + 2500", before)
    times = page.evaluate(f"() => {PLAYERS}.map((video) => video.currentTime)")
    press(page, "k")
    paused = page.evaluate(f"() => {PLAYERS}.map((video) => video.paused)")

    assert len(times) == 2
    assert abs(times[0] - times[1]) < 0.8
    assert paused == [True, True]


def test_the_picture_is_of_the_moment_that_the_clock_shows(page: Page, footage: dict[str, Any]) -> None:
    page.goto(address_of(footage))
    until(page, HAS_PICTURES)
    start = page.evaluate(f"() => {CLOCK}")

    press(page, "Escape", "+", "+", "ArrowRight", "ArrowRight")
    until(page, f"before => {CLOCK} > before", start)
    until(page, HAS_PICTURES)
    moment, times = page.evaluate(f"() => [{CLOCK}, {PLAYERS}.map((video) => video.currentTime)]")

    # A player's time 0 is a day before the moment that it was opened at.
    wanted = 86_400 + (moment - start) / 1000
    assert times == pytest.approx([wanted, wanted], abs=0.1)


def test_nothing_recorded_is_said_and_play_goes_on_where_there_is_footage(
    page: Page, footage: dict[str, Any]
) -> None:
    page.goto(address_of(footage, after_s=-1800, span_s=4000))
    bar = page.get_by_role("slider", name="Time")
    expect(bar).to_have_attribute("aria-valuetext", re.compile("Virtual yard: nothing recorded"))
    expect(page.locator(".players .why").first).to_contain_text("othing recorded")

    press(page, " ")
    until(
        page,
        f"start => {CLOCK} >= start",
        datetime.fromisoformat(footage["start"]).timestamp() * 1000 - 60_000,
    )

    expect(page.locator("[data-part=said]")).to_contain_text("Skipped")


def test_a_pointer_zooms_pans_seeks_and_selects(page: Page, footage: dict[str, Any]) -> None:
    page.goto(address_of(footage))
    until(page, HAS_PICTURES)
    box = page.locator("[data-part=bar] canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.6

    page.mouse.move(x, y)
    expect(page.locator("[data-part=tip]")).to_contain_text("Virtual")
    before = page.evaluate(f"() => {CLOCK}")
    page.mouse.click(x, y)
    until(page, f"before => {CLOCK} !== before", before)
    page.mouse.wheel(0, -400)
    expect(page.locator("[data-part=span]")).not_to_have_text("2 min")
    page.keyboard.down("Shift")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 80, y, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")

    expect(page.get_by_role("region", name="Selection")).to_be_visible()
    until(page, "() => new URLSearchParams(location.search).has('from')")


def test_a_selection_is_saved_exported_and_shown_until_it_is_ready(
    page: Page, footage: dict[str, Any]
) -> None:
    page.goto(address_of(footage, after_s=4))
    until(page, HAS_PICTURES)
    press(page, "[")
    selection = page.get_by_role("region", name="Selection")
    expect(selection).to_be_visible()
    saved = page.request.get(selection.get_by_role("link").first.get_attribute("href") or "")
    selection.get_by_role("button", name="Export").click()
    page.wait_for_url("**/app/exports/")
    ready = page.locator("#results li").first.get_by_role("link", name="Download")
    expect(ready).to_be_visible(timeout=60_000)
    with page.expect_download() as sent:
        ready.click()

    assert (saved.status, saved.headers["content-type"]) == (200, "video/mp4")
    assert sent.value.suggested_filename.endswith(".zip")


def test_a_selection_is_kept_and_released_in_the_list(page: Page, footage: dict[str, Any]) -> None:
    page.goto(address_of(footage, after_s=4))
    until(page, HAS_PICTURES)
    press(page, "[")
    page.get_by_role("button", name="Keep").click()
    page.wait_for_url("**/app/recordings/")
    expect(page.get_by_role("status").filter(has_text="2 recordings are kept.")).to_be_visible()

    page.goto("/app/recordings/?held=on&sort=oldest")
    card = page.locator(".card").first
    expect(card).to_contain_text("held")
    card.get_by_role("button", name="Release").click()

    expect(page.get_by_role("status").filter(has_text="Released")).to_be_visible()
    assert "held=on" in page.url


def test_an_event_plays_in_its_card(page: Page, omma: RunningOmma) -> None:
    with omma.client() as client:
        wait_for("event", lambda: client.get("/api/v1/events/").json()["results"][:1], timeout_s=120)
    page.goto("/app/events/")
    card = page.locator("[data-clip]").first
    expect(card).to_be_visible()

    card.hover()

    until(page, "() => document.querySelector('.event video')?.currentTime > 0.2")


def test_fingers_zoom_and_buttons_select_on_a_phone(phone: BrowserContext, footage: dict[str, Any]) -> None:
    page = phone.new_page()
    page.goto(address_of(footage))
    until(page, HAS_PICTURES)
    page.get_by_role("button", name="Show less time").tap()
    page.get_by_role("button", name="From here").tap()

    expect(page.get_by_role("region", name="Selection")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
