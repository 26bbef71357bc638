"""The network drivers against virtual cameras: what is delivered, and what each refusal becomes."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from omma_engine.errors import (
    SourceAuthError,
    SourceError,
    SourceNotFoundError,
    SourceStalledError,
    SourceUnreachableError,
    SourceUnsupportedError,
)
from omma_engine.sources.base import Media, PacketSource, SourcePacket, packet_source
from omma_engine.sources.guard import guard_for
from omma_engine.sources.probe import answer, probe
from omma_engine.types import SourceKind, SourceSpec
from tests.farm import CameraSpec, Farm
from tests.farm.ledger import entry_of_packet

NOBODY = UUID(int=0)
PLAIN, HEVC, LOCKED, SOUNDING = range(4)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    small = CameraSpec(width=320, height=240, fps=30)
    with Farm(
        [
            small,
            replace(small, codec="hevc"),
            replace(small, auth="digest", username="eve", password="p@ss/word"),
            replace(small, has_audio=True),
        ]
    ) as farm:
        yield farm


def source_for(url: str, kind: str = "rtsp", **options: object) -> PacketSource:
    return packet_source(SourceSpec(NOBODY, NOBODY, NOBODY, SourceKind(kind), url, (), "127.0.0.1", options))


def pictures(source: PacketSource, count: int) -> list[SourcePacket]:
    found: list[SourcePacket] = []
    while len(found) < count:
        found.extend(packet for packet in source.read().unpack() if packet.media is Media.VIDEO)
    return found


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("camera", [PLAIN, HEVC, LOCKED])
def test_rtsp_delivers_every_picture_from_its_keyframe_on(farm: Farm, transport: str, camera: int) -> None:
    source = source_for(farm.url(camera), transport=transport)

    info = source.open()
    got = pictures(source, 20)
    source.close()

    assert (info.video.codec, info.video.width, info.video.height) == (
        "hevc" if camera == HEVC else "h264",
        320,
        240,
    )
    assert got[0].is_keyframe
    entries = [entry_of_packet(packet.data) for packet in got]
    numbers = [entry.sequence for entry in entries if entry]
    assert numbers == list(range(numbers[0], numbers[0] + 20))


def test_sender_reports_come_with_the_packets(farm: Farm) -> None:
    source = source_for(farm.url(PLAIN))
    source.open()

    reported = [packet for packet in pictures(source, 70) if packet.reported_us is not None]
    source.close()

    assert reported
    for packet in reported:
        entry = entry_of_packet(packet.data)
        assert entry is not None
        assert packet.reported_us is not None
        assert abs(packet.reported_us - entry.utc_us) < 1_000


def test_sound_is_found_beside_the_pictures(farm: Farm) -> None:
    source = source_for(farm.url(SOUNDING))
    with_sound = source.open().audio
    source.close()
    silent = source_for(farm.url(SOUNDING), audio=False)
    without = silent.open().audio
    silent.close()

    assert with_sound is not None
    assert with_sound.sample_rate == 8000
    assert without is None


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, SourceAuthError), (403, SourceAuthError), (404, SourceNotFoundError), (453, SourceError),
        (503, SourceError),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["rtsp", "mjpeg", "hls"])
def test_each_refusal_has_its_error(farm: Farm, kind: str, status: int, error: type[SourceError]) -> None:
    farm.camera(PLAIN).answer(status)
    source = source_for(farm.camera(PLAIN).url(kind), kind)  # type: ignore[arg-type] # one of the literal's
    try:
        with pytest.raises(error) as caught:
            source.open()
    finally:
        farm.camera(PLAIN).resume()
        source.close()

    assert caught.value.is_retryable


@pytest.mark.parametrize("kind", ["rtsp", "mjpeg", "hls"])
def test_a_wrong_password_is_told_and_not_shown(farm: Farm, kind: str) -> None:
    url = farm.camera(LOCKED).url(kind).replace("p%40ss%2Fword", "hunter2")  # type: ignore[arg-type] # ditto
    source = source_for(url, kind)
    with pytest.raises(SourceAuthError) as caught:
        source.open()
    source.close()

    assert "hunter2" not in str(caught.value)
    assert "eve" not in str(caught.value)


@pytest.mark.fault("F4")
def test_a_silent_camera_is_unreachable_within_the_limit(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omma_engine.sources.rtsp.OPEN_TIMEOUT_S", 0.5)
    farm.camera(PLAIN).mute()
    source = source_for(farm.url(PLAIN))
    began = time.monotonic()
    try:
        with pytest.raises(SourceUnreachableError):
            source.open()
    finally:
        farm.camera(PLAIN).resume()
        source.close()

    assert time.monotonic() - began < 3


@pytest.mark.fault("F2")
def test_a_stall_ends_the_read(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omma_engine.sources.rtsp.READ_TIMEOUT_S", 0.5)
    source = source_for(farm.url(PLAIN))
    source.open()
    pictures(source, 3)
    farm.camera(PLAIN).stall()
    began = time.monotonic()
    try:
        with pytest.raises(SourceStalledError):
            pictures(source, 1000)
    finally:
        farm.camera(PLAIN).resume()
        source.close()

    assert time.monotonic() - began < 3


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:1/x", "rtsp://127.0.0.1:1"])
def test_nobody_there_is_unreachable(url: str) -> None:
    with pytest.raises(SourceUnreachableError):
        source_for(url).open()


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("rtsp", "http://127.0.0.1/x"), ("rtsp", "file:///etc/passwd"), ("hls", "rtsp://127.0.0.1/x"),
        ("mjpeg", "ftp://x/y"), ("rtsp", "concat:a|b"),
    ],
)  # fmt: skip
def test_an_address_of_another_scheme_is_refused(kind: str, url: str) -> None:
    with pytest.raises(SourceUnsupportedError):
        source_for(url, kind)


def test_a_size_that_changes_is_told_with_the_first_picture_of_it(farm: Farm) -> None:
    source = source_for(farm.url(SOUNDING), audio=False)
    source.open()
    pictures(source, 3)
    farm.camera(SOUNDING).change_video(400, 304)

    changed = next(packet for packet in pictures(source, 60) if packet.codec)
    source.close()

    assert changed.is_keyframe
    assert changed.codec is not None
    assert (changed.codec.width, changed.codec.height) == (400, 304)


def test_hls_delivers_pictures_in_order(farm: Farm) -> None:
    source = source_for(farm.camera(LOCKED).url("hls"), "hls")
    info = source.open()

    numbers = [entry.sequence for packet in pictures(source, 40) if (entry := entry_of_packet(packet.data))]
    source.close()

    assert (info.video.codec, info.video.width) == ("h264", 320)
    assert numbers == list(range(numbers[0], numbers[0] + 40))


def test_mjpeg_becomes_h264(farm: Farm) -> None:
    source = source_for(farm.camera(LOCKED).url("mjpeg"), "mjpeg")
    info = source.open()

    got = pictures(source, 10)
    source.close()

    assert (info.video.codec, info.video.width, info.video.height) == ("h264", 320, 240)
    assert got[0].is_keyframe
    assert not any(packet.is_keyframe for packet in got[1:])
    assert [packet.pts * 100 // 9 - packet.arrival_us for packet in got] == pytest.approx([0] * 10, abs=12)


def test_a_page_that_is_no_video_is_unsupported(farm: Farm) -> None:
    source = source_for(farm.camera(PLAIN).url("still"), "mjpeg")
    with pytest.raises(SourceUnsupportedError, match="expected a stream of pictures, got image/jpeg"):
        source.open()
    source.close()


@pytest.mark.parametrize("kind", ["rtsp", "mjpeg", "hls"])
def test_a_probe_shows_the_first_picture(farm: Farm, kind: str) -> None:
    found = probe(SourceKind(kind), farm.camera(LOCKED).url(kind), {}, 10, numeric_host="127.0.0.1")  # type: ignore[arg-type] # ditto

    assert (found.codec, found.width, found.height, found.has_audio) == ("h264", 320, 240, False)
    assert found.jpeg.startswith(b"\xff\xd8")


def test_a_probe_says_what_is_wrong(farm: Farm) -> None:
    request = {"kind": "rtsp", "url": farm.camera(LOCKED).url(with_login=False), "numeric_host": "127.0.0.1"}

    assert answer(request)["code"] == "unauthorized"


def test_the_probe_program_answers_on_its_output(farm: Farm) -> None:
    request = {
        "kind": "rtsp",
        "url": farm.url(PLAIN),
        "numeric_host": "127.0.0.1",
        "options": {},
        "limit_s": 10,
    }

    done = subprocess.run(
        [sys.executable, "-m", "omma_engine.sources.probe"],
        input=json.dumps(request).encode(),
        capture_output=True,
        check=True,
    )

    said = json.loads(done.stdout)
    assert set(said) == {"codec", "width", "height", "frame_rate", "has_audio", "jpeg"}
    assert (said["width"], said["frame_rate"]) == (320, 30.0)


def test_the_guard_lets_a_camera_point_to_itself_only() -> None:
    spec = SourceSpec(NOBODY, NOBODY, NOBODY, SourceKind.HLS, "http://cam.test/a.m3u8", (), "127.0.0.1")
    wider = SourceSpec(
        NOBODY, NOBODY, NOBODY, SourceKind.HLS, "http://cam.test/a.m3u8", (), "127.0.0.1",
        {"allowed_networks": ["127.0.0.0/8"]},
    )  # fmt: skip

    assert guard_for(spec)("http://cam.test/b.ts") == "127.0.0.1"
    assert guard_for(wider)("http://127.0.0.1:99/b.ts") == "127.0.0.1"
    with pytest.raises(SourceError):
        guard_for(spec)("http://127.0.0.1:99/b.ts")
