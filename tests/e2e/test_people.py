"""Several people at once: each sees what they may see, and nothing else, on every road."""

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.browsing import until
from tests.e2e.running import PASSWORD, RunningOmma, camera_named, wait_for

pytestmark = pytest.mark.e2e

VIEWER_PASSWORD = "a viewer's long password"
OPEN_SOCKET = """
(path) => new Promise((resolve) => {
  const socket = new WebSocket(path.replace(/^/, location.origin.replace('http', 'ws')));
  socket.onmessage = () => { socket.close(); resolve('message'); };
  socket.onclose = ({ code }) => resolve(code);
})
"""
HEAR = """
(path) => new Promise((resolve) => {
  const heard = [];
  const socket = new WebSocket(path.replace(/^/, location.origin.replace('http', 'ws')));
  socket.onmessage = ({ data }) => heard.push(JSON.parse(data));
  setTimeout(() => { socket.close(); resolve(heard); }, 4000);
})
"""


@pytest.fixture(scope="module")
def house(omma: RunningOmma) -> dict[str, Any]:
    """Return the cameras, and a viewer who may see the room only."""
    with omma.client() as client:
        room, yard = camera_named(client, "Virtual room"), camera_named(client, "Virtual yard")
        answer = client.post(
            "/api/v1/members/",
            json={
                "username": "vera",
                "password": VIEWER_PASSWORD,
                "role": "viewer",
                "sees_all_cameras": False,
                "grants": [{"scope_kind": "camera", "scope_id": room["id"]}],
            },
        )
        assert answer.status_code == 201, answer.text
        streams = {
            name: client.get("/api/v1/streams/", params={"camera": camera["id"]}).json()["results"][0]["id"]
            for name, camera in (("room", room), ("yard", yard))
        }
        foreign = wait_for(
            "recording of the yard",
            lambda: client.get("/api/v1/recordings/", params={"camera": yard["id"]}).json()["results"][:1],
            timeout_s=120,
        )[0]
    return {"room": room, "yard": yard, "streams": streams, "foreign_recording": foreign}


def test_a_viewer_of_one_camera_finds_nothing_else_in_the_api(
    omma: RunningOmma, house: dict[str, Any]
) -> None:
    yard, stream, recording = house["yard"]["id"], house["streams"]["yard"], house["foreign_recording"]["id"]
    with omma.client("vera", VIEWER_PASSWORD) as viewer:
        names = [camera["name"] for camera in viewer.get("/api/v1/cameras/").json()["results"]]
        counts = {
            kind: viewer.get(f"/api/v1/{kind}/", params={"camera": yard}).json().get("count", 0)
            for kind in ("streams", "recordings", "events", "tracks", "segments", "gaps")
        }
        foreign = {
            path: viewer.get(path).status_code
            for path in (
                f"/api/v1/cameras/{yard}/",
                f"/api/v1/recordings/{recording}/",
                f"/media/v1/recordings/{recording}.mp4",
                f"/media/v1/recordings/{recording}/thumbnail.jpg",
                f"/media/v1/streams/{stream}/still.jpg",
                f"/media/v1/streams/{stream}/mjpeg",
                f"/media/v1/streams/{stream}/playlist.m3u8",
            )
        }

    assert names == ["Virtual room"]
    assert set(counts.values()) == {0}
    assert set(foreign.values()) == {404}, foreign


@pytest.mark.browser
def test_a_viewer_of_one_camera_sees_only_that_on_the_pages(
    page_of: Callable[[str, str], Page], house: dict[str, Any]
) -> None:
    page = page_of("vera", VIEWER_PASSWORD)
    expect(page.locator(".tile")).to_have_count(1)
    until(page, "() => document.querySelector('.tile .state.live')")
    assert page.locator(".tile").get_by_role("button", name="Record now").count() == 0

    for path in ("/app/cameras/", "/app/recordings/", "/app/events/", "/app/rules/", "/app/system/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200
        assert "Virtual yard" not in page.content()
    for path in (
        f"/app/cameras/{house['yard']['id']}/",
        f"/app/recordings/{house['foreign_recording']['id']}/",
    ):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 404
    answer = page.goto("/app/cameras/add/")
    assert answer is not None
    assert answer.status == 403


@pytest.mark.browser
def test_a_viewer_of_one_camera_hears_only_that_on_the_sockets(
    page_of: Callable[[str, str], Page], house: dict[str, Any]
) -> None:
    page = page_of("vera", VIEWER_PASSWORD)

    assert page.evaluate(OPEN_SOCKET, f"/ws/v1/live/{house['streams']['yard']}") == 4404
    assert page.evaluate(OPEN_SOCKET, f"/ws/v1/live/{house['streams']['room']}") == "message"
    heard = page.evaluate(HEAR, "/ws/v1/events?topics=camera,stream,source,recording,event,detection")
    assert str(house["yard"]["id"]) not in str(heard)
    assert str(house["streams"]["yard"]) not in str(heard)


@pytest.mark.browser
def test_two_people_watch_at_once(
    page_of: Callable[[str, str], Page], page: Page, house: dict[str, Any]
) -> None:
    viewer = page_of("vera", VIEWER_PASSWORD)
    page.goto("/app/")

    for one in (viewer, page):
        until(one, "() => document.querySelector('.tile video').currentTime > 0")
        before = one.evaluate("() => document.querySelector('.tile video').currentTime")
        until(one, "before => document.querySelector('.tile video').currentTime > before + 1", before)

    assert viewer.locator(".tile").count() == 1
    assert page.locator(".tile").count() >= 2


@pytest.mark.browser
def test_logging_out_closes_everything(page_of: Callable[[str, str], Page], house: dict[str, Any]) -> None:
    page = page_of("vera", VIEWER_PASSWORD)
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(re.compile(r"/accounts/login/|/accounts/logout/|/app/"))

    page.goto("/app/recordings/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=/app/recordings/"))
    assert page.evaluate(OPEN_SOCKET, f"/ws/v1/live/{house['streams']['room']}") == 4401


@pytest.mark.browser
def test_too_many_wrong_passwords_are_told_to_wait(browser_window: BrowserContext) -> None:
    page = browser_window.new_page()
    page.goto("/accounts/login/")
    words = ""
    for _ in range(8):
        page.get_by_label("Name").fill("mallory")
        page.get_by_label("Password").fill("guess")
        page.get_by_role("button", name="Log in").click()
        words = page.get_by_role("alert").inner_text()
        if "Too many" in words:
            break

    assert "Too many tries" in words
    assert page.get_by_label("Password").input_value() == ""


@pytest.mark.parametrize(
    "path",
    ["/app/", "/api/v1/cameras/", "/api/v1/recordings/", "/admin/", "/api/v1/system/status/"],
)
def test_everything_is_closed_without_login(omma: RunningOmma, path: str) -> None:
    response = httpx.get(f"{omma.url}{path}", follow_redirects=False, timeout=20)

    assert response.status_code in {302, 401}


def test_a_login_of_another_site_is_refused(omma: RunningOmma) -> None:
    with httpx.Client(base_url=omma.url, timeout=20) as client:
        client.get("/accounts/login/")
        response = client.post(
            "/accounts/login/",
            data={"username": "admin", "password": PASSWORD},
            headers={"Origin": "https://evil.example", "Referer": "https://evil.example/"},
        )

    assert response.status_code == 403
