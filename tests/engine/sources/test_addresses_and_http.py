"""What a source may open: numeric hosts, guarded redirects, bounded bodies, logins to their own origin."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote
from uuid import UUID

import pytest

from omma_engine.errors import (
    SourceAuthError,
    SourceError,
    SourceForbiddenError,
    SourceNotFoundError,
    SourceStalledError,
    SourceUnreachableError,
    SourceUnsupportedError,
)
from omma_engine.sources.addresses import is_camera_network, with_numeric_host
from omma_engine.sources.guard import guard_for
from omma_engine.sources.http import CameraHttp
from omma_engine.sources.mjpeg import jpeg_parts
from omma_engine.types import SourceKind, SourceSpec

NOBODY = UUID(int=0)


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and remembers what was asked."""

    asked: list[tuple[str, str, str]]

    def do_GET(self) -> None:
        type(self).asked.append((self.path, self.headers["Host"], self.headers.get("Authorization", "")))
        kind, _, rest = self.path.lstrip("/").partition("/")
        if kind == "to":
            self._answer(302, b"", Location=rest.replace("*", "://"))
        elif kind == "status":
            self._answer(int(rest), b"no")
        elif kind == "slow":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x")
            self.wfile.flush()
            threading.Event().wait(1.5)
        elif kind == "login" and not self.headers.get("Authorization"):
            self._answer(401, b"", **{"WWW-Authenticate": 'Basic realm="camera"'})
        elif kind == "digest" and "Digest" not in self.headers.get("Authorization", ""):
            self._answer(401, b"", **{"WWW-Authenticate": f'Digest realm="camera", nonce="1"{unquote(rest)}'})
        else:
            self._answer(200, b"y" * 5000)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class names it)
        del format, args


@pytest.fixture
def camera() -> Iterator[tuple[str, type[Handler]]]:
    handler = type("OneHandler", (Handler,), {"asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://camera.test:{server.server_port}", handler
        server.shutdown()
        thread.join()


def http_for(url: str, **kwargs: float) -> CameraHttp:
    spec = SourceSpec(NOBODY, NOBODY, NOBODY, SourceKind.MJPEG, url, (), "127.0.0.1")
    return CameraHttp(url, guard_for(spec), **kwargs)


def test_the_numeric_host_is_opened_and_the_name_is_said(camera: tuple[str, type[Handler]]) -> None:
    url, handler = camera
    http = http_for(f"{url}/video")

    assert len(http.open(f"{url}/video").body(10_000)) == 5000

    assert handler.asked == [("/video", url.removeprefix("http://"), "")]
    http.close()


def test_a_body_has_a_limit(camera: tuple[str, type[Handler]]) -> None:
    http = http_for(camera[0])
    with pytest.raises(SourceUnsupportedError, match="at most 4999 bytes"):
        http.open(f"{camera[0]}/video").body(4999)
    http.close()


def test_redirects_on_the_same_origin_are_followed_and_counted(camera: tuple[str, type[Handler]]) -> None:
    http = http_for(camera[0])
    assert http.open(f"{camera[0]}/to//video").url == f"{camera[0]}/video"
    with pytest.raises(SourceUnsupportedError, match="redirects"):
        http.open(camera[0] + "/to/" * 6 + "video")
    http.close()


@pytest.mark.parametrize(
    "target",
    [
        "http*127.0.0.1:1/x",
        "http*169.254.169.254/latest",
        "http*[::1]:9/",
        "file*/etc/passwd",
        "http*localhost:5432/",
        "http*0.0.0.0/",
    ],
)
def test_a_redirect_to_where_no_camera_may_be_is_not_followed(
    camera: tuple[str, type[Handler]], target: str
) -> None:
    http = http_for(camera[0])
    with pytest.raises(SourceForbiddenError):
        http.open(f"{camera[0]}/to/{target}")
    assert len(camera[1].asked) == 1
    http.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, SourceAuthError),
        (403, SourceAuthError),
        (404, SourceNotFoundError),
        (503, SourceUnreachableError),
        (418, SourceError),
    ],
)
def test_statuses_are_told_apart(
    camera: tuple[str, type[Handler]], status: int, error: type[SourceError]
) -> None:
    http = http_for(camera[0])
    with pytest.raises(error, match=str(status)) as caught:
        http.open(f"{camera[0]}/status/{status}")
    assert type(caught.value) is error
    http.close()


def test_a_login_goes_to_its_own_origin_when_asked_for(camera: tuple[str, type[Handler]]) -> None:
    url, handler = camera
    with_login = url.replace("http://", "http://eve:secret@")
    http = http_for(with_login)

    assert "secret" not in http.open(f"{url}/login").url
    http.open(f"{url}/video").body(10_000)

    assert [bool(authorization) for *_, authorization in handler.asked] == [False, True, True]
    http.close()


def test_an_answer_that_stops_coming_is_a_stall(camera: tuple[str, type[Handler]]) -> None:
    http = http_for(camera[0], read_timeout_s=0.3)
    with pytest.raises(SourceStalledError):
        http.open(f"{camera[0]}/slow").body(10_000)
    http.close()


def test_nothing_there_is_unreachable() -> None:
    http = http_for("http://camera.test:1")
    with pytest.raises(SourceUnreachableError):
        http.open("http://camera.test:1/video")
    http.close()


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("10.1.2.3", True), ("192.168.1.20", True), ("172.16.0.9", True), ("203.0.113.9", True),
        ("fd00::5", True),
        ("127.0.0.1", False), ("127.9.9.9", False), ("::1", False), ("169.254.169.254", False),
        ("fe80::1", False),
        ("0.0.0.0", False), ("224.0.0.1", False), ("::ffff:127.0.0.1", False), ("255.255.255.255", False),
    ],
)  # fmt: skip
def test_where_cameras_may_be(address: str, is_allowed: bool) -> None:
    assert is_camera_network(address) is is_allowed


def test_numeric_hosts_take_the_place_of_names() -> None:
    assert with_numeric_host("rtsp://u:p@cam:8554/a?b=1", "fd00::5") == "rtsp://u:p@[fd00::5]:8554/a?b=1"
    assert with_numeric_host("rtsp://cam/a", "") == "rtsp://cam/a"


def test_a_digest_login_may_hold_any_letter(camera: tuple[str, type[Handler]]) -> None:
    address = camera[0].replace("http://", "http://j%C3%BCrgen:%C3%A9%40@") + "/digest/"
    http = http_for(address)

    assert len(http.open(address).body(10_000)) == 5000
    assert 'username="jürgen"' in camera[1].asked[-1][2].encode("latin-1").decode()
    http.close()


@pytest.mark.parametrize("challenge", [', algorithm="XYZ"', ', qop="auth-int"', ", nonsense"])
def test_a_login_that_cannot_be_answered_is_a_refused_one(
    camera: tuple[str, type[Handler]], challenge: str
) -> None:
    address = camera[0].replace("http://", "http://eve:pw@") + f"/digest/{quote(challenge)}"
    http = http_for(address)
    with pytest.raises(SourceAuthError, match="unknown way"):
        http.open(address)
    http.close()


JPEG = b"\xff\xd8 picture \xff\xd9"


@pytest.mark.parametrize("boundary", ["frame", "--frame"])
@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize("chunk", [1, 7, 10_000])
def test_pictures_are_cut_from_every_kind_of_multipart(boundary: str, has_length: bool, chunk: int) -> None:
    length = f"Content-Length: {len(JPEG)}\r\n" if has_length else ""
    part = f"--frame\r\nContent-Type: image/jpeg\r\n{length}\r\n".encode() + JPEG + b"\r\n"
    stream = part * 3 + b"--frame--"

    parts = list(jpeg_parts((stream[at : at + chunk] for at in range(0, len(stream), chunk)), boundary))

    assert parts == [JPEG] * 3


def test_a_picture_without_end_is_refused() -> None:
    def endless() -> Iterator[bytes]:
        yield b"--frame\r\n\r\n"
        while True:
            yield b"\xff" * 1_000_000

    with pytest.raises(SourceUnsupportedError, match="at most"):
        list(jpeg_parts(endless(), "frame"))
