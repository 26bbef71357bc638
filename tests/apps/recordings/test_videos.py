"""Videos that are sent or fetched become cameras with footage, or nothing at all."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.catalog.services import builtin_version
from apps.core.jobs import run_task
from apps.core.models import Task
from apps.inference.analyses.models import Analysis
from apps.inference.models import Analytic
from apps.recordings.footage import footage_between
from apps.recordings.models import RetentionPolicy
from apps.recordings.videos import services
from apps.recordings.videos.models import Video
from apps.rules.models import Rule
from apps.streams.explaining import explain_silence
from apps.streams.models import Gap, Segment, Stream, Volume
from apps.streams.volumes import ensure_default_volume
from tests.engine.importing.clips import write_clip, write_sound_only
from tests.factories import make_account, make_limited_member, make_member

URL = "/api/v1/videos/"
START = datetime(2026, 1, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def home(settings: LazySettings, tmp_path: Path) -> Account:
    settings.OMMA_DATA_DIR = tmp_path / "data"
    ensure_default_volume()
    return make_account()


@pytest.fixture
def client(home: Account) -> Client:
    return client_of(make_member(home, "admin"))


def client_of(member: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(member.user)
    return client


def begin(client: Client, content: bytes = b"x", **changes: Any) -> Any:
    facts = {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    body = {"name": "Yard", **facts, **changes}
    return client.post(URL, body, content_type="application/json")


def send(client: Client, content: bytes, **changes: Any) -> dict[str, Any]:
    """Send a video in two parts and have it imported."""
    made = begin(client, content, **changes)
    assert made.status_code == 201, made.content
    address, half = f"{URL}{made.json()['id']}/", len(content) // 2
    for start, end in ((0, half), (half, len(content))):
        options: dict[str, Any] = {"headers": {"Upload-Offset": str(start)}}
        part = client.patch(address, content[start:end], content_type="application/octet-stream", **options)
        assert part.status_code == 200, part.content
    assert client.post(f"{address}finish/").status_code == 200
    work(Video.objects.get(pk=made.json()["id"]))
    shown: dict[str, Any] = client.get(address).json()
    return shown


def work(video: Video) -> None:
    """Run the video's job to its end, as the queue would."""
    for _ in range(20):
        assert video.task_id is not None
        run_task(video.task_id)
        if Task.objects.filter(pk=video.task_id, finished_at__isnull=False).exists():
            return


def nothing_is_left(tmp_path: Path) -> bool:
    """Tell whether neither rows nor files of a video are there."""
    data = tmp_path / "data"
    files = [*data.glob("videos/*"), *data.glob("volumes/default/*/*"), *data.glob("models/work/*")]
    return not (files or Camera.objects.exists() or Stream.objects.exists() or Segment.objects.exists())


def test_a_video_in_parts_becomes_a_camera_whose_past_is_the_video(
    client: Client, home: Account, tmp_path: Path
) -> None:
    content = write_clip(tmp_path / "a.mp4", frames=40, with_sound=True).read_bytes()

    shown = send(client, content, start=START.isoformat())

    camera, stream = Camera.objects.get(), Stream.objects.get()
    assert (shown["state"], shown["is_over"], shown["progress"], shown["error"]) == ("done", True, 1.0, "")
    assert (shown["camera"], shown["stream"]) == (str(camera.pk), str(stream.pk))
    assert (camera.name, camera.driver, camera.is_on_wall, camera.is_imported) == (
        "Yard",
        "file",
        False,
        True,
    )
    assert (Analytic.objects.count(), Rule.objects.count()) == (0, 0)
    segment = Segment.objects.get()
    assert (segment.start, segment.state, segment.clock, segment.error_us) == (START, "closed", "file", 0)
    assert (stream.source.is_wanted, stream.codec, stream.has_audio) == (False, "h264", True)
    selection = footage_between(stream.pk, START, START + timedelta(seconds=4))
    assert selection is not None
    assert not selection.holes
    assert RetentionPolicy.objects.get(camera=camera).max_age_hours > 24 * 3000
    assert not [*(tmp_path / "data" / "videos").iterdir()]
    video = client.get(
        f"/media/v1/streams/{stream.pk}/video.mp4",
        {"start": START.isoformat(), "end": (START + timedelta(seconds=3)).isoformat()},
    )
    assert video.status_code == 200
    explain_silence(timezone.now() + timedelta(hours=1))
    assert not Gap.objects.filter(stream=stream).exists()


def test_without_a_start_the_video_ends_now(client: Client, tmp_path: Path) -> None:
    send(client, write_clip(tmp_path / "a.mp4").read_bytes())

    assert abs((timezone.now() - Segment.objects.get().end).total_seconds()) < 60


def test_what_to_look_for_is_begun_when_the_video_is_there(client: Client, tmp_path: Path) -> None:
    models = [{"model_version": str(builtin_version("motion").pk), "values": {"rate_fps": 2}}]

    shown = send(client, write_clip(tmp_path / "a.mp4").read_bytes(), models=models)

    analysis = Analysis.objects.get()
    assert (shown["analysis"], shown["progress"], shown["is_over"]) == (str(analysis.pk), 0.3, False)
    assert analysis.specs[0]["rate_fps"] == 2


@pytest.mark.parametrize("kind", ["no video", "sound", "cut off"])
def test_what_cannot_be_taken_leaves_nothing_and_says_why(client: Client, tmp_path: Path, kind: str) -> None:
    content = {
        "no video": lambda: b"\x00" * 5000,
        "sound": lambda: write_sound_only(tmp_path / "a.m4a").read_bytes(),
        "cut off": lambda: write_clip(
            tmp_path / "a.mp4", frames=200, container_options={"movflags": "faststart"}
        ).read_bytes()[:-4000],
    }[kind]()

    shown = send(client, content)

    code = {"no video": "not_a_video", "sound": "no_video", "cut off": "truncated"}[kind]
    assert (shown["state"], shown["error_code"], shown["is_over"]) == ("failed", code, True)
    assert len(shown["error"]) > 10
    assert nothing_is_left(tmp_path)


def test_another_file_than_announced_is_forgotten(client: Client, tmp_path: Path) -> None:
    made = begin(client, b"abc", sha256="0" * 64)
    address = f"{URL}{made.json()['id']}/"
    options: dict[str, Any] = {"headers": {"Upload-Offset": "0"}}
    client.patch(address, b"abc", content_type="application/octet-stream", **options)

    answer = client.post(f"{address}finish/")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "wrong_checksum")
    assert nothing_is_left(tmp_path)
    assert not Video.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"size_bytes": 1 << 40}, "size_bytes"),
        ({"sha256": "x"}, "sha256"),
        ({"rotation": 45}, "rotation"),
        ({"start": "2999-01-01T00:00:00Z"}, "start"),
        ({"start": "1980-01-01T00:00:00Z"}, "start"),
        ({"models": [{"model_version": "00000000-0000-0000-0000-000000000001"}]}, "models"),
        ({"address": "http://127.0.0.1:1/a.mp4"}, "address"),
        ({"address": "file:///etc/passwd"}, "address"),
        ({"address": "http://169.254.169.254/latest"}, "address"),
    ],
)
def test_a_bad_request_names_its_field_and_keeps_nothing(
    client: Client, tmp_path: Path, changes: dict[str, Any], field: str
) -> None:
    answer = begin(client, **changes)

    assert (400 <= answer.status_code < 500, [*answer.json()["error"]["fields"]]) == (True, [field])
    assert (Video.objects.count(), Task.objects.count()) == (0, 0)
    assert nothing_is_left(tmp_path)


def test_only_who_may_manage_cameras_sends_videos_and_others_see_none(home: Account, client: Client) -> None:
    address = f"{URL}{begin(client).json()['id']}/"
    people = {
        "operator": make_member(home, "operator"),
        "limited": make_limited_member(home, "admin", []),
        "stranger": make_member(make_account("Other"), "admin"),
    }

    answers = {
        name: (one.get(address).status_code, one.delete(address).status_code, begin(one).status_code)
        for name, one in ((name, client_of(member)) for name, member in people.items())
    }

    assert answers == {"operator": (200, 403, 403), "limited": (404, 404, 403), "stranger": (404, 404, 201)}


def test_a_deleted_video_takes_its_camera_and_analyses_with_it(client: Client, tmp_path: Path) -> None:
    models = [{"model_version": str(builtin_version("motion").pk)}]
    shown = send(client, write_clip(tmp_path / "a.mp4").read_bytes(), models=models)

    answer = client.delete(f"{URL}{shown['id']}/")
    run_task(Task.objects.get(kind="remove_footage").pk)

    assert answer.status_code == 204
    assert nothing_is_left(tmp_path)
    assert (Analysis.objects.count(), Video.objects.count()) == (0, 0)


def test_a_video_that_is_deleted_on_its_way_in_leaves_nothing(client: Client, tmp_path: Path) -> None:
    content = write_clip(tmp_path / "a.mp4").read_bytes()
    made = begin(client, content)
    address = f"{URL}{made.json()['id']}/"
    options: dict[str, Any] = {"headers": {"Upload-Offset": "0"}}
    client.patch(address, content, content_type="application/octet-stream", **options)
    client.post(f"{address}finish/")

    assert client.delete(address).status_code == 204
    run_task(Task.objects.get(kind="video.import").pk)

    assert nothing_is_left(tmp_path)


def test_uploads_that_nobody_goes_on_with_are_forgotten(client: Client, tmp_path: Path) -> None:
    begin(client)

    assert services.forget_old(timezone.now() + timedelta(hours=23)) == "0 uploads"
    assert services.forget_old(timezone.now() + timedelta(hours=25)) == "1 uploads"
    assert not Video.objects.exists()


# --- addresses ----------------------------------------------------------------------------------------------


class Shop(BaseHTTPRequestHandler):
    """Serves one video, an endless one, and a way round to each."""

    def __init__(self, content: bytes, *arguments: Any) -> None:
        self.content = content
        super().__init__(*arguments)

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/a.mp4")
            self.end_headers()
        elif self.path == "/inside":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest")
            self.end_headers()
        elif self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"\0" * 65536)
        elif self.path == "/a.mp4":
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.content)))
            self.end_headers()
            self.wfile.write(self.content)
        else:
            self.send_error(404)

    def log_message(self, *_arguments: Any) -> None:
        return


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news."""


@pytest.fixture
def shop(settings: LazySettings, tmp_path: Path) -> Iterator[str]:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.1/32"]
    content = write_clip(tmp_path / "shop.mp4").read_bytes()
    server = QuietServer(("127.0.0.1", 0), partial(Shop, content))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/a.mp4", "/moved"])
def test_a_video_is_fetched_from_an_address(client: Client, shop: str, path: str) -> None:
    made = client.post(URL, {"name": "Shop", "address": f"{shop}{path}"}, content_type="application/json")
    work(Video.objects.get())

    assert (made.status_code, made.json()["state"]) == (201, "waiting")
    shown = client.get(f"{URL}{made.json()['id']}/").json()
    assert (shown["state"], shown["error"]) == ("done", "")
    assert Segment.objects.count() == 1


@pytest.mark.parametrize(
    ("path", "code"),
    [("/none", "invalid"), ("/inside", "address_refused"), ("/endless", "payload_too_large")],
)
def test_an_address_that_gives_no_video_leaves_nothing(
    client: Client, shop: str, path: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.recordings.videos.fetching.MAX_FETCHED_BYTES", 1 << 20)
    client.post(URL, {"name": "Shop", "address": f"{shop}{path}"}, content_type="application/json")
    work(Video.objects.get())

    video = Video.objects.get()
    assert (video.state, video.error_code) == ("failed", code)
    assert nothing_is_left(tmp_path)


def test_a_full_volume_refuses_the_video_and_says_so(client: Client, tmp_path: Path) -> None:
    Volume.objects.update(max_bytes=1000)

    shown = send(client, write_clip(tmp_path / "a.mp4").read_bytes())

    assert (shown["state"], shown["error_code"]) == ("failed", "no_room")
    assert nothing_is_left(tmp_path)
