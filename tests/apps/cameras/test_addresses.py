"""From what people type to a driver, an address without credentials, and a login apart."""

from pathlib import Path

import pytest

from apps.cameras.addresses import guess_driver, read_camera_address
from apps.cameras.models import Driver
from apps.core.exceptions import ForbiddenAddressError, InvalidInputError


@pytest.mark.parametrize(
    ("address", "driver"),
    [
        ("rtsp://cam/main", Driver.RTSP),
        ("rtsps://cam/main", Driver.RTSP),
        ("http://cam/live/index.m3u8", Driver.HLS),
        ("https://cam/INDEX.M3U8?token=x", Driver.HLS),
        ("http://cam/video.cgi", Driver.MJPEG),
        ("/srv/video.mp4", Driver.FILE),
        ("video.mkv", Driver.FILE),
        ("file:///srv/video.mp4", Driver.FILE),
        ("/dev/video0", Driver.V4L2),
        ("synthetic:yard", Driver.SYNTHETIC),
    ],
)
def test_the_driver_follows_from_the_address(address: str, driver: Driver) -> None:
    assert guess_driver(address) is driver


@pytest.mark.parametrize("address", ["ftp://cam/x", "gopher://cam", "data://x", "rtmp://cam/live"])
def test_other_schemes_are_refused_at_the_address(address: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_camera_address(address)

    assert caught.value.field == "address"


def test_credentials_are_taken_out_of_the_address() -> None:
    read = read_camera_address("rtsp://admin:p%40ss@10.0.0.5:8554/main?x=1")

    assert read.address == "rtsp://10.0.0.5:8554/main?x=1"
    assert (read.username, read.password) == ("admin", "p@ss")
    assert "p@ss" not in repr(read)


def test_a_login_beside_the_address_wins() -> None:
    read = read_camera_address("rtsp://a:b@10.0.0.5/main", username="admin", password="secret")

    assert (read.username, read.password) == ("admin", "secret")


def test_loopback_is_refused_unless_the_hosts_owner_gives_it() -> None:
    with pytest.raises(ForbiddenAddressError) as caught:
        read_camera_address("rtsp://127.0.0.1:8554/main")
    assert caught.value.field == "address"

    read = read_camera_address("rtsp://127.0.0.1:8554/main", is_trusted=True)
    assert read.trusted_origin == "rtsp://127.0.0.1:8554"


def test_a_file_outside_the_media_folder_needs_the_hosts_owner(tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    video.touch()

    with pytest.raises(ForbiddenAddressError):
        read_camera_address(str(video))
    assert read_camera_address(str(video), is_trusted=True).driver is Driver.FILE


def test_an_unknown_driver_names_the_field() -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_camera_address("rtsp://10.0.0.5/main", driver="telepathy")

    assert caught.value.field == "driver"


@pytest.mark.parametrize("address", ["synthetic:moon", "synthetic:yard?fps=0", "synthetic:yard?colour=red"])
def test_a_scene_that_cannot_be_drawn_is_refused(address: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_camera_address(address)

    assert caught.value.field == "address"
