"""F4, F14: a camera that says no, sends clients elsewhere or stays silent is understood and not followed."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from omma_engine.errors import (
    SourceAuthError,
    SourceBusyError,
    SourceError,
    SourceForbiddenError,
    SourceNotFoundError,
    SourceUnsupportedError,
)
from omma_engine.sources.base import Media, PacketSource, packet_source
from omma_engine.types import SourceKind, SourceSpec
from tests.farm import CameraSpec, Farm

NOBODY = UUID(int=0)
PLAIN, LOCKED, OTHER = range(3)
TRANSPORTS = pytest.mark.parametrize("transport", ["tcp", "udp"])


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    small = CameraSpec(width=320, height=240, fps=15)
    locked = replace(small, auth="digest", username="eve", password="p@ss/word")
    with Farm([small, locked, small]) as farm:
        yield farm


@pytest.fixture(autouse=True)
def _back_to_normal(farm: Farm) -> Iterator[None]:
    yield
    for camera in farm.cameras:
        camera.resume()


def source_for(url: str, **options: object) -> PacketSource:
    return packet_source(SourceSpec(NOBODY, NOBODY, NOBODY, SourceKind.RTSP, url, (), "127.0.0.1", options))


def asked(farm: Farm, camera: int, what: str) -> int:
    return farm.camera(camera).requests().get(what, 0)


@pytest.mark.fault("F4")
@TRANSPORTS
@pytest.mark.parametrize("method", ["OPTIONS", "DESCRIBE"])
def test_a_redirect_to_where_no_camera_may_be_is_not_followed(
    farm: Farm, transport: str, method: str
) -> None:
    before = farm.camera(OTHER).requests()
    farm.camera(PLAIN).redirect(farm.url(OTHER), method=method)
    source = source_for(farm.url(PLAIN), transport=transport)

    with pytest.raises(SourceForbiddenError):
        source.open()
    source.close()

    assert farm.camera(OTHER).requests() == before


@pytest.mark.fault("F4")
@TRANSPORTS
def test_a_redirect_to_where_cameras_may_be_is_followed_without_the_password(
    farm: Farm, transport: str
) -> None:
    before = asked(farm, OTHER, "with a login")
    farm.camera(LOCKED).redirect(farm.url(OTHER))
    source = source_for(farm.url(LOCKED), transport=transport, allowed_networks=["127.0.0.0/8"])

    info = source.open()
    packet = source.read().unpack()[0]
    source.close()

    assert info.video.width == 320
    assert packet.media is Media.VIDEO
    assert asked(farm, OTHER, "with a login") == before


@pytest.mark.fault("F4")
@TRANSPORTS
def test_a_redirect_on_the_same_camera_keeps_the_password(farm: Farm, transport: str) -> None:
    farm.camera(LOCKED).redirect(farm.camera(LOCKED).url(with_login=False) + "?again")
    source = source_for(farm.url(LOCKED), transport=transport)

    with pytest.raises(SourceUnsupportedError, match="redirects"):
        source.open()
    farm.camera(LOCKED).resume()
    info = source.open()
    source.close()

    assert info.video.width == 320


@pytest.mark.fault("F4")
@TRANSPORTS
@pytest.mark.parametrize("target", ["http://127.0.0.1:1/x", "file:///etc/passwd", "rtsp://169.254.169.254/x"])
def test_a_redirect_to_another_scheme_or_network_is_refused(farm: Farm, transport: str, target: str) -> None:
    farm.camera(PLAIN).redirect(target)
    source = source_for(farm.url(PLAIN), transport=transport)

    with pytest.raises((SourceUnsupportedError, SourceForbiddenError)) as caught:
        source.open()
    source.close()

    assert not caught.value.is_retryable


@pytest.mark.fault("F4", "F14")
@TRANSPORTS
@pytest.mark.parametrize(
    ("status", "method", "error"),
    [
        (401, "DESCRIBE", SourceAuthError), (403, "DESCRIBE", SourceAuthError),
        (404, "DESCRIBE", SourceNotFoundError), (453, "SETUP", SourceBusyError),
        (453, "PLAY", SourceBusyError), (503, "DESCRIBE", SourceBusyError),
    ],
)  # fmt: skip
def test_each_refusal_is_told_apart(
    farm: Farm, transport: str, status: int, method: str, error: type[SourceError]
) -> None:
    farm.camera(PLAIN).answer(status, method=method)
    source = source_for(farm.url(PLAIN), transport=transport)

    with pytest.raises(error) as caught:
        source.open()
    source.close()

    assert caught.value.is_retryable


@pytest.mark.fault("F4", "F14")
@TRANSPORTS
def test_a_changed_password_is_tried_once_for_each_opening(farm: Farm, transport: str) -> None:
    before = asked(farm, LOCKED, "with a login")
    source = source_for(farm.url(LOCKED).replace("p%40ss%2Fword", "hunter2"), transport=transport)

    with pytest.raises(SourceAuthError):
        source.open()
    source.close()

    assert asked(farm, LOCKED, "with a login") - before == 1
