"""Streams from a video at an address: fetched before they are there, and gone with them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps.cameras.models import Camera
from tests.apps.dialects.luna.films import film_server
from tests.apps.dialects.luna.house import Luna, error_of, make_luna, stream_body

VIDEO = b"as good as a video" * 100
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """Return the address of a server with one video."""
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "people.mp4").write_bytes(VIDEO)
    with film_server(folder) as address:
        yield address


@pytest.fixture
def luna(transactional_db: None) -> Luna:
    return make_luna()


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.1/32"]
    settings.OMMA_DATA_DIR = tmp_path
    return tmp_path / "media" / "luna"


def from_web(address: str, **changes: Any) -> dict[str, Any]:
    return {"data": {"type": "videofile", "reference": address, **changes}}


def files(media: Path) -> list[Path]:
    return list(media.glob("*")) if media.is_dir() else []


def test_the_video_is_there_before_the_stream_and_goes_with_it(luna: Luna, media: Path, web: str) -> None:
    stream_id = luna.create(**from_web(f"{web}/people.mp4"))

    (file,) = files(media)
    assert file.read_bytes() == VIDEO
    camera = Camera.objects.get()
    assert (camera.driver, camera.address, camera.options) == ("file", str(file), {"loop": False})
    assert luna.get(f"/2/streams/{stream_id}")["data"]["reference"] == f"{web}/people.mp4"
    luna.ask("DELETE", f"/2/streams/{stream_id}")
    assert files(media) == []


def test_a_replaced_video_takes_the_place_of_the_old_one(luna: Luna, media: Path, web: str) -> None:
    stream_id = luna.create(**from_web(f"{web}/people.mp4"))
    before = files(media)
    luna.ask("PUT", f"/2/streams/{stream_id}", stream_body(**from_web(f"{web}/people.mp4", endless=True)))

    assert len(files(media)) == 1
    assert files(media) != before
    assert Camera.objects.get().options == {"loop": True}
    luna.ask("PUT", f"/2/streams/{stream_id}", stream_body())
    assert files(media) == []


@pytest.mark.parametrize("path", ["/gone.mp4", ":1/people.mp4"])
def test_a_video_that_does_not_come_makes_no_stream(luna: Luna, media: Path, web: str, path: str) -> None:
    address = f"http://127.0.0.1{path}" if path.startswith(":") else f"{web}{path}"
    status, number, detail = error_of(luna.ask("POST", "/2/streams", stream_body(**from_web(address))))

    assert (status, number) == (400, 12022)
    assert "'data.reference'" in detail
    assert (Camera.objects.count(), files(media)) == (0, [])


def test_nothing_is_fetched_for_what_is_refused_anyway(luna: Luna, media: Path, web: str) -> None:
    nobody_has = {"analytics": [{"analytic_name": "gait"}]}
    unfit = {
        "analytics": [{"analytic_name": "people_count", "schedules": [{"start": "10:00", "end": "10:00"}]}]
    }
    viewer = make_luna("viewer", luna.account)

    for client, changes in ((luna, nobody_has), (luna, unfit), (viewer, {})):
        body = stream_body(**from_web(f"{web}/people.mp4"), **changes)
        assert client.ask("POST", "/2/streams", body).status_code in {400, 403, 422}
    assert (Camera.objects.count(), files(media)) == (0, [])


def test_an_address_that_may_not_be_fetched_is_refused(luna: Luna, media: Path, settings: Settings) -> None:
    settings.OMMA_EGRESS_ALLOW = []
    for address in ("http://127.0.0.1:9/x.mp4", "http://169.254.169.254/x.mp4", "http://10.0.0.5/x.mp4"):
        answer = luna.ask("POST", "/2/streams", stream_body(**from_web(address)))

        assert error_of(answer)[:2] == (400, 12022), address
