"""A camera goes in; live view, AI, recordings and playback come out."""

import io
import time
from datetime import datetime, timedelta
from typing import Any

import av
import httpx
import pytest

from tests.e2e.running import RunningOmma, camera_named, wait_for

pytestmark = pytest.mark.e2e


def first(client: httpx.Client, path: str, **params: Any) -> dict[str, Any] | None:
    response = client.get(path, params=params)
    assert response.status_code == 200, response.text
    results = response.json()["results"]
    return results[0] if results else None


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.timeout(240)
def test_a_person_in_the_scene_becomes_a_recording_that_plays(omma: RunningOmma) -> None:
    with omma.client() as client:
        camera = camera_named(client, "Virtual yard")
        stream = wait_for("stream", lambda: first(client, "/api/v1/streams/", camera=camera["id"]))
        track = wait_for(
            "person track",
            lambda: first(client, "/api/v1/tracks/", camera=camera["id"], label="person"),
            timeout_s=120,
        )
        event = wait_for(
            "event", lambda: first(client, "/api/v1/events/", camera=camera["id"], label="person")
        )
        recording = wait_for(
            "finished recording",
            lambda: first(client, "/api/v1/recordings/", camera=camera["id"], label="person", state="done"),
            timeout_s=120,
        )

        body = client.get(f"/media/v1/recordings/{recording['id']}.mp4")

    assert stream["width"] > 0
    assert track["confidence"] > 0
    assert event["cause_name"] == "People and motion"
    assert body.status_code == 200
    with av.open(io.BytesIO(body.content), "r") as clip:
        frames = sum(1 for _frame in clip.decode(video=0))
        assert clip.duration is not None
        length = timedelta(microseconds=clip.duration)
    start, end = moment(recording["start"]), moment(recording["end"])
    assert frames > 0
    assert abs(length - (end - start)) <= timedelta(seconds=1.5)


def test_a_recording_has_its_whole_pre_roll_and_post_roll(omma: RunningOmma) -> None:
    with omma.client() as client:
        camera = camera_named(client, "Virtual yard")
        recordings = wait_for(
            "finished recordings",
            lambda: [
                recording
                for recording in client.get(
                    "/api/v1/recordings/", params={"camera": camera["id"], "state": "done"}
                ).json()["results"]
                if recording["cause_kind"] == "rule"
            ],
            timeout_s=120,
        )
        footage = first(client, "/api/v1/segments/", camera=camera["id"], ordering="start")

    assert footage is not None
    began = moment(footage["start"])
    for recording in recordings:
        trigger = moment(recording["trigger_at"])
        wanted = max(began, trigger - timedelta(seconds=10))
        assert moment(recording["start"]) <= wanted + timedelta(milliseconds=200)
        assert moment(recording["end"]) >= trigger + timedelta(seconds=10) - timedelta(seconds=1.5)


def test_footage_plays_seconds_after_it_happened(omma: RunningOmma) -> None:
    with omma.client() as client:
        stream = wait_for("stream", lambda: first(client, "/api/v1/streams/"))
        time.sleep(6)  # real time is what is tested here
        end = datetime.now().astimezone()
        start = end - timedelta(seconds=8)
        response = client.get(
            f"/media/v1/streams/{stream['id']}/video.mp4",
            params={"start": start.isoformat(), "end": end.isoformat()},
        )

    assert response.status_code == 200, response.text
    with av.open(io.BytesIO(response.content), "r") as clip:
        assert clip.duration is not None
        assert clip.duration / 1e6 >= 3


def test_a_clip_answers_ranges(omma: RunningOmma) -> None:
    with omma.client() as client:
        recording = wait_for(
            "recording", lambda: first(client, "/api/v1/recordings/", state="done"), timeout_s=120
        )
        path = f"/media/v1/recordings/{recording['id']}.mp4"
        whole = client.get(path)
        part = client.get(path, headers={"Range": "bytes=100-199"})
        beyond = client.get(path, headers={"Range": f"bytes={len(whole.content)}-"})
        again = client.get(path, headers={"If-None-Match": whole.headers["ETag"]})

    assert int(whole.headers["Content-Length"]) == len(whole.content)
    assert part.status_code == 206
    assert part.content == whole.content[100:200]
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole.content)}"
    assert beyond.status_code == 416
    assert again.status_code == 304
