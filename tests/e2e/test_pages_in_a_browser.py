"""The pages in a real browser."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import until
from tests.e2e.running import RunningOmma, camera_named, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

PAGES = (
    "/app/",
    "/app/timeline/",
    "/app/exports/",
    "/app/exports/add/",
    "/app/cameras/",
    "/app/cameras/add/",
    "/app/recordings/",
    "/app/events/",
    "/app/rules/",
    "/app/rules/add/",
    "/app/models/",
    "/app/models/add/",
    "/app/models/train/",
    "/app/models/01900000-0000-7000-8000-000000000002/",
    "/app/statistics/",
    "/app/system/",
    "/app/system/storage/",
    "/app/system/storage/retention-policies/add/",
    "/app/system/audit/",
    "/app/system/members/",
    "/app/system/members/add/",
    "/app/account/",
)
MOST_BYTES = 150_000
PLACES = [
    "Live", "Timeline", "Recordings", "Events", "Cameras", "Rules", "Videos", "Models", "Exports",
    "Statistics", "System",
]  # fmt: skip
PLAYER = "document.querySelector('video.player')"


def test_a_recording_plays_and_seeks(page: Page, omma: RunningOmma) -> None:
    with omma.client() as client:
        recording = wait_for(
            "recording",
            lambda: client.get("/api/v1/recordings/", params={"state": "done"}).json()["results"][:1],
            timeout_s=120,
        )[0]

    page.goto(f"/app/recordings/{recording['id']}/")
    until(page, f"() => {PLAYER}.currentTime > 0.3")
    duration = page.evaluate(f"() => {PLAYER}.duration")
    page.evaluate(f"at => {{ {PLAYER}.currentTime = at; }}", duration * 0.6)
    until(page, f"at => !{PLAYER}.seeking && {PLAYER}.currentTime >= at", duration * 0.6)

    assert duration > 5
    assert page.evaluate(f"() => {PLAYER}.error") is None


def test_a_recording_that_grows_is_played_on(page: Page, omma: RunningOmma) -> None:
    with omma.client() as client:
        camera = camera_named(client, "Virtual yard")
        stream = client.get("/api/v1/streams/", params={"camera": camera["id"]}).json()["results"][0]
        recording = client.post("/api/v1/recordings/", json={"stream": stream["id"]}).json()
        wait_for(
            "something to play",
            lambda: client.get(f"/api/v1/recordings/{recording['id']}/").json()["video_url"],
        )

        page.goto(f"/app/recordings/{recording['id']}/")
        until(page, f"() => {PLAYER}?.duration > 0")
        length = page.evaluate(
            f"() => {{ {PLAYER}.currentTime = {PLAYER}.duration - 0.3; return {PLAYER}.duration; }}"
        )
        until(page, f"at => {PLAYER}.currentTime > at + 0.5", length)
        client.post(f"/api/v1/recordings/{recording['id']}/stop/")

    expect(page.get_by_role("button", name="Stop recording")).to_have_count(0, timeout=15_000)


def test_a_rule_with_a_zone_is_drawn_changed_by_keys_and_saved(page: Page, omma: RunningOmma) -> None:
    page.goto("/app/rules/add/")
    page.get_by_label("Name").fill("By the gate")
    page.get_by_role("checkbox", name="person", exact=True).check()
    page.locator("input[name=cameras]").first.check()
    surface = page.locator(".zone svg")
    surface.scroll_into_view_if_needed()
    box = surface.bounding_box()
    assert box is not None
    for x, y in ((0.2, 0.2), (0.8, 0.2), (0.5, 0.8)):
        surface.click(position={"x": box["width"] * x, "y": box["height"] * y})
    page.locator(".zone .handle").nth(2).focus()
    for _ in range(10):
        page.keyboard.press("ArrowUp")
    expect(page.get_by_text("In the last hour this would have matched")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/app/rules/")

    with omma.client() as client:
        rules = client.get("/api/v1/rules/").json()["results"]
        saved = next(rule for rule in rules if rule["name"] == "By the gate")
        client.delete(f"/api/v1/rules/{saved['id']}/")
    assert len(saved["polygon"]) == 3
    assert saved["polygon"][0] == pytest.approx([0.2, 0.2], abs=0.02)
    assert saved["polygon"][2] == pytest.approx([0.5, 0.7], abs=0.02)


def test_a_wrong_address_is_named_before_anything_is_saved(page: Page, omma: RunningOmma) -> None:
    page.goto("/app/cameras/add/")
    page.get_by_label("Name", exact=True).fill("Nowhere")
    page.get_by_label("Address").fill("gopher://camera.local/")
    page.get_by_role("button", name="Try the address").click()
    expect(page.locator("#probe [role=alert]")).to_be_visible()
    with page.expect_response(lambda answer: answer.request.method == "POST") as sent:
        page.get_by_role("button", name="Add camera").click()

    assert sent.value.status == 422
    expect(page.locator("main [role=alert]").first).to_be_focused()
    expect(page.locator("main [role=alert]").first).to_contain_text("Address")
    expect(page.get_by_label("Address")).to_have_attribute("aria-invalid", "true")
    described = page.get_by_label("Address").get_attribute("aria-describedby") or ""
    assert all(page.locator(f"#{one}").count() == 1 for one in described.split())
    with omma.client() as client:
        names = [camera["name"] for camera in client.get("/api/v1/cameras/").json()["results"]]
    assert "Nowhere" not in names


def test_what_can_be_set_of_a_camera_is_set(page: Page, omma: RunningOmma) -> None:
    with omma.client() as client:
        camera = camera_named(client, "Virtual room")
    page.goto(f"/app/cameras/{camera['id']}/")
    page.get_by_label("Seconds after").fill("7")
    page.locator("form", has=page.get_by_label("Seconds after")).get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    page.get_by_role("link", name="Change", exact=True).click()
    page.get_by_label("Name", exact=True).fill("Virtual room ")
    page.get_by_label("On the live wall").uncheck()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"**/app/cameras/{camera['id']}/")

    with omma.client() as client:
        stream = client.get("/api/v1/streams/", params={"camera": camera["id"]}).json()["results"][0]
        changed = client.get(f"/api/v1/cameras/{camera['id']}/").json()
        client.patch(f"/api/v1/cameras/{camera['id']}/", json={"is_on_wall": True})
        client.patch(f"/api/v1/streams/{stream['id']}/", json={"post_roll_s": 10})
    assert stream["post_roll_s"] == 7
    assert (changed["name"], changed["is_on_wall"]) == ("Virtual room", False)
    assert changed["address"] == camera["address"]


def test_a_camera_appears_on_the_wall_and_leaves_it_without_a_reload(page: Page, omma: RunningOmma) -> None:
    page.goto("/app/")
    until(page, "() => document.querySelectorAll('.tile .state.live').length > 0")
    page.evaluate("() => { window.isSamePage = true; }")

    with omma.client() as client:
        answer = client.post("/api/v1/cameras/", json={"name": "Hidden", "address": "rtsp://192.0.2.1/main"})
        assert answer.status_code == 201, answer.text
        tile = page.locator(".tile", has_text="Hidden")
        expect(tile).to_be_visible(timeout=15_000)
        client.delete(f"/api/v1/cameras/{answer.json()['id']}/")
    expect(tile).to_have_count(0, timeout=15_000)

    assert page.evaluate("() => window.isSamePage")


def test_new_recordings_come_to_the_list_by_themselves(page: Page, omma: RunningOmma) -> None:
    page.goto("/app/recordings/")
    with omma.client() as client:
        camera = camera_named(client, "Virtual yard")
        stream = client.get("/api/v1/streams/", params={"camera": camera["id"]}).json()["results"][0]
        answer = client.post("/api/v1/recordings/", json={"stream": stream["id"], "name": "By hand"})
        assert answer.status_code == 201, answer.text
        recording = answer.json()
        card = page.locator(f"#recording-{recording['id']}")
        expect(card).to_contain_text("recording", timeout=20_000)
        client.post(f"/api/v1/recordings/{recording['id']}/stop/")

    expect(card.locator(".tag.now")).to_have_count(0, timeout=20_000)


def test_moments_are_entered_in_local_time_and_sent_as_moments(page: Page) -> None:
    page.goto("/app/recordings/")
    page.get_by_label("From", exact=True).fill("2026-01-15T12:00")
    page.get_by_role("button", name="Show").click()

    page.wait_for_url("**/app/recordings/?**")
    assert "since=2026-01-15T17%3A00%3A00.000Z" in page.url
    expect(page.get_by_label("From", exact=True)).to_have_value("2026-01-15T12:00")


@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_a_phone_and_are_light(phone: BrowserContext, path: str) -> None:
    page = phone.new_page()
    sizes: list[int] = []
    page.on(
        "requestfinished",
        lambda request: sizes.append(
            0
            if request.resource_type == "image" or "/media/v1/" in request.url
            else request.sizes()["responseBodySize"]
        ),
    )

    page.goto(path)
    page.wait_for_load_state("load")

    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert sum(sizes) < MOST_BYTES


def test_every_place_is_reached_by_keys_alone(page: Page) -> None:
    page.goto("/app/system/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    places: list[str] = []
    for _ in range(len(PLACES) + 2):
        page.keyboard.press("Tab")
        places.append(page.evaluate("() => document.activeElement.textContent.trim()"))

    assert places[1 : len(PLACES) + 1] == PLACES
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/app/system/")


def test_the_phones_bottom_bar_opens_the_rest(phone: BrowserContext) -> None:
    page = phone.new_page()
    page.goto("/app/events/")
    page.get_by_text("More").tap()
    page.get_by_role("link", name="Rules").tap()

    page.wait_for_url("**/app/rules/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Rules")
