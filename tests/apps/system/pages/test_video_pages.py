"""Pages of videos: the list with progress, the form, and the player."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from apps.accounts.models import Role
from apps.core.models import Task
from apps.inference.analyses.models import Analysis
from apps.recordings.videos.models import Video
from apps.streams.models import Segment, Volume
from omma_engine.ids import uuid7
from tests.apps.system.pages.conftest import NOW, PageHouse

pytestmark = pytest.mark.django_db
LogIn = Callable[..., Client]


@pytest.fixture
def video(house: PageHouse) -> Video:
    """Return a video that is there, and in which something is being looked for."""
    stream = house.door.stream
    task = Task.objects.create(
        kind="analysis", unique_key="a", account_id=house.account.pk, state="running", progress=0.5
    )
    analysis = Analysis.objects.create(
        id=task.pk, account=house.account, camera=house.door.camera, stream=stream, start=NOW,
        end=NOW + timedelta(seconds=10), fingerprint="x", task=task, speed=2.0, footage_s=10.0,
    )  # fmt: skip
    Segment.objects.create(
        id=uuid7(round(NOW.timestamp() * 1000)), account_id=house.account.pk, camera_id=house.door.camera.pk,
        stream=stream, volume=Volume.objects.create(name="v", root="/v"), epoch=1, sequence=1, start=NOW,
        end=NOW + timedelta(seconds=10), start_ticks=0, time_base_num=1, time_base_den=90000, clock="file",
        error_us=0, path="x", codec="h264", width=1, height=1, init_size=1, state="closed",
    )  # fmt: skip
    return Video.objects.create(
        account=house.account, camera=house.door.camera, name="Holiday", state="done", stream_id=stream.pk,
        facts={"duration_s": 10.0}, analysis={"models": [{}]}, analysis_id=analysis.pk, size_bytes=1000,
    )  # fmt: skip


def test_the_list_shows_how_far_each_video_is(log_in: LogIn, house: PageHouse, video: Video) -> None:
    Video.objects.create(
        account=house.account, name="Broken", state="failed", stream_id=uuid7(), error="It was cut off."
    )

    page = log_in(Role.VIEWER).get("/app/videos/").content.decode()

    assert "Holiday" in page
    assert 'value="65"' in page
    assert "It was cut off." in page
    assert "/app/videos/add/" not in page


def test_a_video_is_played_with_what_was_found(log_in: LogIn, house: PageHouse, video: Video) -> None:
    page = log_in(Role.VIEWER).get(f"/app/videos/{video.pk}/").content.decode()

    assert f"/media/v1/streams/{house.door.stream.pk}/video.mp4?start=2026-01-15T12%3A00%3A00Z" in page
    assert f'data-analysis="{video.analysis_id}"' in page
    assert "65 %" in page


def test_who_may_not_see_the_camera_sees_no_video(log_in: LogIn, house: PageHouse, video: Video) -> None:
    limited = log_in(Role.ADMIN, sees=[house.garden.camera])

    assert limited.get(f"/app/videos/{video.pk}/").status_code == 404
    assert limited.post(f"/app/videos/{video.pk}/delete/").status_code == 404
    assert "Holiday" not in limited.get("/app/videos/").content.decode()
    assert log_in(Role.OPERATOR).get("/app/videos/add/").status_code == 403


def test_an_address_is_asked_for_and_a_bad_one_is_told_at_its_field(
    log_in: LogIn, house: PageHouse, settings: LazySettings, tmp_path: Any
) -> None:
    settings.OMMA_DATA_DIR = tmp_path
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.1/32"]
    admin = log_in(Role.ADMIN)

    refused = admin.post("/app/videos/add/", {"name": "A", "address": "http://169.254.169.254/a.mp4"})
    taken = admin.post("/app/videos/add/", {"name": "A", "address": "http://127.0.0.1:1/a.mp4"})

    assert refused.status_code == 422
    assert "This address may not be used" in refused.content.decode()
    assert (taken.status_code, Video.objects.get().state) == (302, "waiting")


def test_a_video_is_deleted_with_its_camera(log_in: LogIn, house: PageHouse, video: Video) -> None:
    house.door.recording.delete()

    answer = log_in(Role.ADMIN).post(f"/app/videos/{video.pk}/delete/")

    assert answer.status_code == 302
    assert not Video.objects.exists()
    assert not Analysis.objects.exists()
