"""Virtual cameras ask for names and passwords, and refuse, as real ones do."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import av
import pytest

from tests.farm import CameraSpec, Farm
from tests.farm.reading import PlainRtsp, open_stream, packets_of, read_some

SMALL = CameraSpec(width=320, height=180, gop_s=0.5)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    locked = replace(SMALL, username="viewer", password="p@ss word")
    specs = [replace(locked, auth="basic"), replace(locked, auth="digest")]
    with Farm([*specs, SMALL]) as running:
        yield running


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("kind", ["rtsp", "mjpeg"])
def test_the_right_password_opens(farm: Farm, number: int, kind: str) -> None:
    camera = farm.camera(number)

    with open_stream(camera.url("mjpeg" if kind == "mjpeg" else "rtsp")) as container:
        assert read_some(packets_of(container), 2)


@pytest.mark.parametrize("number", [0, 1])
def test_no_password_and_a_wrong_one_are_refused(farm: Farm, number: int) -> None:
    camera = farm.camera(number)
    refused = camera.requests()["DESCRIBE 401"]

    for url in (camera.url(with_login=False), camera.url().replace("viewer", "nobody")):
        with pytest.raises(av.HTTPUnauthorizedError):
            open_stream(url)

    assert camera.requests()["DESCRIBE 401"] > refused + 1


def test_the_challenge_names_the_way_to_log_in(farm: Farm) -> None:
    for number, words in ((0, 'Basic realm="farm"'), (1, 'Digest realm="farm", nonce=')):
        with PlainRtsp(farm.url(number)) as client:
            status, answer = client.ask("DESCRIBE")
        assert status == 401
        assert words in answer


def test_a_basic_password_does_not_open_a_digest_camera(farm: Farm) -> None:
    login = base64.b64encode(b"viewer:p@ss word").decode()

    with PlainRtsp(farm.url(1)) as client:
        assert client.ask("DESCRIBE", {"Authorization": f"Basic {login}"})[0] == 401


@pytest.mark.parametrize("status", [401, 403, 404, 453, 503])
def test_a_camera_can_be_told_what_to_answer(farm: Farm, status: int) -> None:
    camera = farm.camera(2)
    camera.answer(status)

    with PlainRtsp(camera.url()) as client:
        assert client.ask("DESCRIBE")[0] == status
    with pytest.raises((av.HTTPError, av.FFmpegError)):
        open_stream(camera.url("mjpeg"))

    camera.answer(None)
    with PlainRtsp(camera.url()) as client:
        assert client.ask("DESCRIBE")[0] == 200


@pytest.mark.parametrize(
    ("method", "headers", "path", "status"),
    [
        ("SETUP", {"Transport": "RTP/AVP/TCP;interleaved=0-1"}, "/trackID=1", 404),
        ("SETUP", {"Transport": "RAW/RAW/UDP"}, "/trackID=0", 461),
        ("PLAY", {}, "", 455),
        ("PAUSE", {"Session": "stranger"}, "", 454),
        ("RECORD", {}, "", 501),
    ],
)
def test_requests_that_make_no_sense_are_answered_so(
    farm: Farm, method: str, headers: dict[str, str], path: str, status: int
) -> None:
    with PlainRtsp(farm.url(2)) as client:
        assert client.ask(method, headers, path)[0] == status
