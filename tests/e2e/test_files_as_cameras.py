"""A real video as a camera: it loops, it is live, and what is seen in it is followed and recorded."""

import io
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import until
from tests.e2e.running import RunningOmma, camera_named, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.shared]

PLAYER = "document.querySelector('video.player')"


@pytest.fixture
def camera(omma: RunningOmma, people_video: Path | None) -> dict[str, Any]:
    if people_video is None:
        pytest.skip("shared: no video with people")
    with omma.client() as client:
        return camera_named(client, people_video.stem)


def found(client: httpx.Client, kind: str, **filters: str) -> dict[str, Any] | None:
    results = client.get(f"/api/v1/{kind}/", params=filters).json()["results"]
    return results[0] if results else None


@pytest.mark.timeout(420)
def test_what_is_seen_in_a_file_is_followed_told_and_recorded(
    omma: RunningOmma, camera: dict[str, Any]
) -> None:
    with omma.client() as client:
        track = wait_for("track", lambda: found(client, "tracks", camera=camera["id"]), timeout_s=240)
        event = wait_for("event", lambda: found(client, "events", camera=camera["id"]), timeout_s=60)
        recording = wait_for(
            "recording", lambda: found(client, "recordings", camera=camera["id"]), timeout_s=60
        )
        body = client.get(f"/media/v1/recordings/{recording['id']}.mp4")

    assert camera["driver"] == "file"
    assert camera["options"]["loop"] is True
    assert track["label"] in {"person", "motion"}
    assert event["cause_name"] == "People and motion"
    assert body.status_code == 200
    with av.open(io.BytesIO(body.content), "r") as clip:
        assert sum(1 for _frame in clip.decode(video=0)) > 10


@pytest.mark.browser
def test_a_file_is_live_and_its_recordings_play_and_seek(
    page: Page, omma: RunningOmma, camera: dict[str, Any]
) -> None:
    page.goto(f"/app/cameras/{camera['id']}/")
    expect(page.locator(".tile .state")).to_have_text("live", timeout=20_000)
    before = page.evaluate("() => document.querySelector('.tile video').currentTime")
    until(page, "before => document.querySelector('.tile video').currentTime > before + 1", before)

    with omma.client() as client:
        recording = wait_for(
            "recording", lambda: found(client, "recordings", camera=camera["id"]), timeout_s=90
        )
    page.goto(f"/app/recordings/{recording['id']}/")
    until(page, f"() => {PLAYER}?.currentTime > 0.3")
    middle = page.evaluate(f"() => {PLAYER}.duration / 2")
    page.evaluate(f"at => {{ {PLAYER}.currentTime = at; }}", middle)
    until(page, f"at => !{PLAYER}.seeking && {PLAYER}.currentTime >= at", middle)

    assert page.evaluate(f"() => {PLAYER}.error") is None
