"""Video analytics: refused, deferred, followed, and told in seconds of the video."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from pytest_django import Settings

from apps.core.models import Task, TaskState
from apps.core.times import to_us
from apps.dialects.luna import video_results
from apps.inference.analyses.models import Analysis
from apps.recordings.videos.models import Video, VideoState
from apps.streams.models import Source, Stream
from omma_engine.inference.counting import CountingSpec, encode_counting
from tests import factories
from tests.apps.dialects.luna.house import Luna, error_of, make_luna

COUNTING = {"name": "people_count", "parameters": {"people_count_threshold": 1}}

TURNED_TWICE = {"orientation_strategy": "videoinfo", "angle": 90}


@pytest.fixture(autouse=True)
def _may_fetch_from_this_machine(settings: Settings) -> None:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.1/32"]


def video_body(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "deferred_task": {"enabled": True},
        "video": {"url": "http://127.0.0.1:9/people.mp4"},
        "analytics": [COUNTING],
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def begin(luna: Luna, **changes: Any) -> str:
    answer = luna.ask("POST", "/1/videosdk", video_body(**changes))
    assert answer.status_code == 202, answer.content
    task_id: str = answer.json()["task_id"]
    assert answer.json()["url"] == f"/1/video/tasks/{task_id}"
    assert answer["Location"] == f"{luna.base}/1/video/tasks/{task_id}"
    return task_id


@pytest.mark.parametrize(
    ("changes", "number", "words"),
    [
        ({"video": None}, 12022, "'video'"),
        ({"analytics": None}, 12022, "'analytics'"),
        ({"analytics": []}, 12022, "'analytics'"),
        ({"video": {}}, 12022, "'video.url'"),
        ({"video": {"url": "http://10.0.0.5/film.mp4"}}, 12022, "'video.url'"),
        ({"video": {"url": "file:///etc/passwd"}}, 12022, "'video.url'"),
        ({"video": {"url": "http://127.0.0.1:9/x", "orientation": {"angle": 45}}}, 12022, "angle"),
        (
            {"video": {"url": "http://127.0.0.1:9/x", "orientation": TURNED_TWICE}},
            12022,
            "angle",
        ),
        ({"analytics": [{"name": "people_count", "targets": ["faces"]}]}, 12022, "'analytics.0.targets'"),
        (
            {"analytics": [{"name": "people_count", "parameters": {"image_retain_policy": {"ttl": 1}}}]},
            12022,
            "ttl",
        ),
        ({"analytics": [{"name": "gait"}]}, 44014, "analytics.0"),
        ({"deferred_task": {"enabled": "yes"}}, 12022, "'deferred_task.enabled'"),
    ],
)  # fmt: skip
def test_what_cannot_be_analysed_is_refused_and_nothing_begins(
    luna: Luna, changes: dict[str, Any], number: int, words: str
) -> None:
    status, found, detail = error_of(luna.ask("POST", "/1/videosdk", video_body(**changes)))

    assert (status, found) == (422 if number == 44014 else 400, number)
    assert words in detail
    assert (Video.objects.count(), Task.objects.count()) == (0, 0)


def test_a_deferred_video_is_a_task(luna: Luna) -> None:
    task_id = begin(luna, video={"url": "http://127.0.0.1:9/x.mp4", "orientation": {"angle": 90}})

    assert luna.get(f"/1/video/tasks/{task_id}") == {
        "task_id": task_id,
        "status": 0,
        "progress": 0.0,
        "result_url": None,
        "error": None,
    }
    assert error_of(luna.ask("GET", f"/1/video/tasks/{task_id}/result"))[:2] == (404, 28018)
    video = Video.objects.get(pk=UUID(task_id))
    assert (video.rotation, video.account_id) == (90, luna.account.pk)
    (model,) = video.analysis["models"]
    assert (model["name"], model["values"]["counting"]["at_least"]) == ("people_count", 1)


def test_the_second_version_of_the_address_is_the_same(luna: Luna) -> None:
    assert luna.ask("POST", "/2/videosdk", video_body()).status_code == 202


def test_a_failed_task_says_why(luna: Luna) -> None:
    task_id = begin(luna)
    Video.objects.update(state=VideoState.FAILED, error="The server answers 404.")

    told = luna.get(f"/1/video/tasks/{task_id}")
    assert (told["status"], told["error"], told["result_url"]) == (3, "The server answers 404.", None)
    failed = error_of(luna.ask("GET", f"/1/video/tasks/{task_id}/result"))
    assert failed == (422, 45001, "Stream processing error: The server answers 404.")


def test_a_task_is_its_accounts_own(luna: Luna) -> None:
    task_id = begin(luna)
    stranger, viewer = make_luna(), make_luna("viewer", luna.account)

    for path in (f"/1/video/tasks/{task_id}", f"/1/video/tasks/{task_id}/result"):
        assert error_of(stranger.ask("GET", path))[:2] == (404, 28001)
    assert error_of(luna.ask("GET", f"/1/video/tasks/{uuid4()}"))[:2] == (404, 28001)
    assert viewer.get(f"/1/video/tasks/{task_id}")["task_id"] == task_id
    assert error_of(viewer.ask("POST", "/1/videosdk", video_body()))[:2] == (403, 11036)


def test_a_result_is_told_in_seconds_of_the_video(luna: Luna, monkeypatch: pytest.MonkeyPatch) -> None:
    task_id = begin(luna)
    start = timezone.now() - timedelta(minutes=1)
    crowd, lone = str(uuid4()), str(uuid4())
    counting, detector = str(uuid4()), str(uuid4())
    _finish(luna, UUID(task_id), start, [counting, detector])
    begin_us = to_us(start)

    def count(event: str, phase: str, at_s: float, people: int, highest: int) -> dict[str, Any]:
        return {
            "kind": "result", "analytic_id": counting, "event_id": event, "phase": phase,
            "start_us": begin_us + 1_000_000, "at_us": begin_us + int(at_s * 1e6), "count": people,
            "highest": highest, "width": 200, "height": 100, "coordinates": [[0.5, 0.5]] * people,
        }  # fmt: skip

    findings = [
        count(crowd, "start", 1, 2, 2),
        count(crowd, "period", 2, 3, 3),
        count(crowd, "end", 3, 1, 3),
        {
            "kind": "track_close", "analytic_id": detector, "number": 7, "label": "person", "confidence": 0.9,
            "start_us": begin_us, "end_us": begin_us + 500_000, "best_box": [0, 0, 1, 1], "track_id": lone,
        },
    ]  # fmt: skip
    monkeypatch.setattr(video_results, "findings_of", lambda analysis, kinds: findings)

    told = luna.get(f"/1/video/tasks/{task_id}")
    assert (told["status"], told["progress"]) == (2, 1.0)
    result = luna.get(told["result_url"])
    assert result["video_data"]["duration"] == 4.0
    people, objects = result["analytics"]
    (event,) = people["events"]
    assert (people["name"], event["start"], event["end"]) == ("people_count", 1.0, 3.0)
    assert [frame["people_count"] for frame in event["frames_estimations"]] == [2, 3, 1]
    assert event["frames_estimations"][0]["people_coordinates"] == [[100, 50]] * 2
    aggregated = event["aggregated_estimations"]
    assert (aggregated["people_count"], aggregated["overview"]["time_offset"]) == (3, 2.0)
    assert aggregated["overview"]["people_coordinates"] == [[100, 50]] * 3
    assert objects["name"] == "people"
    assert objects["events"][0]["aggregated_estimations"]["label"] == "person"


def _finish(luna: Luna, task_id: UUID, start: Any, analytics: list[str]) -> None:
    """Bring a task to its end, as its job and the analysis would."""
    camera = factories.make_camera(luna.account)
    source = Source.objects.create(account=luna.account, camera=camera)
    stream = Stream.objects.create(account=luna.account, camera=camera, source=source)
    counting, detector = analytics
    analysis = Analysis.objects.create(
        account=luna.account,
        camera=camera,
        stream=stream,
        start=start,
        end=start + timedelta(seconds=5),
        specs=[
            {"analytic_id": counting, "counting": encode_counting(CountingSpec(coordinates=True))},
            {"analytic_id": detector, "counting": None},
        ],
        names={counting: "people_count", detector: "people"},
        fingerprint="x",
        footage_s=4.0,
        result={"pictures": 20, "decode_errors": 0, "unreadable_files": 0},
        task=Task.objects.create(kind="analysis", unique_key="x", state=TaskState.DONE, progress=1.0),
    )
    Video.objects.filter(pk=task_id).update(
        state=VideoState.DONE, camera=camera, analysis_id=analysis.pk, facts={"frame_rate": 25.0}
    )
