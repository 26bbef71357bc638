"""The egress guard, against the spellings that have fooled others."""

import ipaddress
from pathlib import Path
from typing import Any

import psutil
import pytest
from pytest_django import Settings

from apps.core import own_services
from apps.core.egress import (
    CheckedAddress,
    check_camera_address,
    check_outbound,
    trusted_origin_of,
)
from apps.core.exceptions import ForbiddenAddressError, InvalidAddressError, InvalidInputError
from apps.core.networks import IpAddress

NAMES = {
    "camera.lan": ["192.168.1.20"],
    "public.example": ["93.184.216.34"],
    "both.example": ["2606:2800:220:1::1", "93.184.216.34"],
    "mixed.example": ["93.184.216.34", "127.0.0.1"],
    "mine.example": ["127.0.0.1"],
    "metadata.example": ["169.254.169.254"],
}


class Resolver:
    """Answers from a table and counts how often each name was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str) -> list[IpAddress]:
        self.asked.append(host)
        return [ipaddress.ip_address(text) for text in NAMES.get(host, [])]


def camera(address: str, trusted_origin: str = "", **options: Any) -> CheckedAddress:
    return check_camera_address(address, trusted_origin, resolver=Resolver(), **options)


def outbound(address: str, **options: Any) -> CheckedAddress:
    return check_outbound(address, resolver=Resolver(), **options)


@pytest.mark.parametrize(
    ("address", "numeric"),
    [
        ("rtsp://192.168.1.20/main", "rtsp://192.168.1.20/main"),
        ("rtsp://camera.lan/main", "rtsp://192.168.1.20/main"),
        ("RTSP://Camera.LAN:8554/a?b=c", "rtsp://192.168.1.20:8554/a?b=c"),
        ("rtsps://camera.lan/main", "rtsps://192.168.1.20/main"),
        ("http://10.1.2.3:80/video.mjpg", "http://10.1.2.3/video.mjpg"),
        ("http://[fd12:3456::1]:8080/live.m3u8", "http://[fd12:3456::1]:8080/live.m3u8"),
        ("rtsp://both.example/", "rtsp://93.184.216.34/"),
        ("rtsp://camera.lan./main", "rtsp://192.168.1.20/main"),
        ("rtsp://user:p%40ss@camera.lan/main", "rtsp://192.168.1.20/main"),
    ],
)
def test_cameras_in_private_networks_and_outside_may_be_opened(address: str, numeric: str) -> None:
    assert camera(address).numeric_url == numeric


def test_credentials_are_taken_out_of_the_address() -> None:
    checked = camera("rtsp://user:p%40ss@camera.lan:8554/main")

    assert (checked.username, checked.password) == ("user", "p@ss")
    assert checked.url == "rtsp://camera.lan:8554/main"
    assert "p@ss" not in repr(checked)
    assert checked.origin == "rtsp://camera.lan:8554"


def test_a_name_is_resolved_once_and_the_number_is_what_is_opened() -> None:
    resolver = Resolver()

    checked = check_camera_address("rtsp://camera.lan/main", resolver=resolver)

    assert resolver.asked == ["camera.lan"]
    assert checked.numeric_host == "192.168.1.20"


REFUSED = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.1.1", "100.100.100.200",
    "168.63.129.16", "192.0.0.192", "224.0.0.1", "239.255.255.250", "255.255.255.255", "240.0.0.1",
    "[::1]", "[::]", "[fe80::1]", "[ff02::1]", "[fec0::1]", "[fd00:ec2::254]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[::ffff:0.0.0.0]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a9fe:a9fe]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:ffff:7f00:0001]",
    "mine.example", "mixed.example", "metadata.example",
]  # fmt: skip


@pytest.mark.parametrize("host", REFUSED)
@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_addresses_that_no_camera_has_are_refused(scheme: str, host: str) -> None:
    with pytest.raises(ForbiddenAddressError) as refusal:
        camera(f"{scheme}://{host}/main")

    assert refusal.value.status == 400
    assert list(refusal.value.fields) == ["address"]


MALFORMED = [
    # other spellings of 127.0.0.1 and of numbers in general
    "rtsp://2130706433/", "rtsp://0x7f000001/", "rtsp://0x7f.0.0.1/", "rtsp://0177.0.0.1/", "rtsp://127.1/",
    "rtsp://127.0.1/", "rtsp://017700000001/", "rtsp://192.168.010.1/", "rtsp://1.2.3.4.5/", "rtsp://256.1.1.1/",
    "rtsp://127.0.0.1./", "rtsp://0/", "rtsp://0x/", "rtsp://1e3/x"[:11] + "./",
    # characters that readers fold, strip or cut at
    "rtsp://127。0。0。1/", "rtsp://\uff11\uff12\uff17.0.0.1/", "rtsp://①②⑦.0.0.1/", "rtsp://loc\u200balhost/",
    "rtsp://camera.lan\r\nHost: evil/", "rtsp://camera.lan/\x00", "rtsp://cam\tera.lan/",
    "rtsp://camera.lan /",
    "rtsp://camera.lan\\@evil.example/", "rtsp:\\\\camera.lan/", " rtsp://camera.lan/", "rtsp://camera.lan/\u202e",
    "rtsp://camera.lan/\ud800", "rtsp://ⓔxample.com/", "rtsp://example。com/", "rtsp://[fe80::1%25eth0]/",
    "rtsp://camera%2elan/", "rtsp://%31%32%37.0.0.1/", "rtsp://[::1/", "rtsp://::1/", "rtsp://[127.0.0.1]/",
    "rtsp://[v1.x]/", "rtsp://-camera.lan/", "rtsp://camera..lan/", "rtsp://.lan/",
    "rtsp://" + "a" * 64 + ".lan/",
    "rtsp://" + "a." * 150 + "lan/", "rtsp://camera.lan:0/", "rtsp://camera.lan:65536/", "rtsp://camera.lan:x/",
    "rtsp://camera.lan:-1/", "rtsp://:554/", "rtsp:///main", "rtsp://", "rtsp://user:pass@/", "rtsp://a b@c/",
    # other schemes
    "ftp://camera.lan/", "gopher://camera.lan/", "concat:a|b", "data:video/mp4;base64,AA", "pipe:0", "tcp://camera.lan:1",
    "subfile,,start,0,end,0,,:/etc/passwd", "async:http://camera.lan/", "rtmp://camera.lan/", "udp://camera.lan:1/",
    "crypto://x", "javascript:alert(1)", "rtsp+unix:///x", "", "://", "rtsp:camera.lan", "rtsp:/camera.lan/x",
    "rtsp://camera.lan/" + "x" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("address", MALFORMED)
def test_addresses_that_two_readers_could_understand_differently_are_refused(address: str) -> None:
    with pytest.raises(InvalidInputError) as refusal:
        camera(address)

    assert list(refusal.value.fields) == ["address"]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("rtsp://camera.lan@127.0.0.1/", "127.0.0.1"),
        ("rtsp://camera.lan:80@127.0.0.1/", "127.0.0.1"),
        ("rtsp://camera.lan@public.example@127.0.0.1/", "127.0.0.1"),
        ("rtsp://127.0.0.1#@camera.lan/", "127.0.0.1"),
        ("rtsp://127.0.0.1?@camera.lan/", "127.0.0.1"),
        ("rtsp://127.0.0.1/@camera.lan/", "127.0.0.1"),
    ],
)
def test_the_host_is_where_the_connection_would_go(address: str, host: str) -> None:
    with pytest.raises(ForbiddenAddressError, match="loopback"):
        camera(address)

    assert camera(address, trusted_origin=f"rtsp://{host}:554").host == host


def test_a_fragment_is_not_sent() -> None:
    assert camera("rtsp://camera.lan/main#/../x").numeric_url == "rtsp://192.168.1.20/main"


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(InvalidAddressError) as refusal:
        camera("rtsp://nowhere.example/")

    assert refusal.value.error_code == "address_unresolved"
    assert "nowhere.example" in refusal.value.message


@pytest.mark.parametrize("address", ["https://10.0.0.1/", "https://192.168.1.20/", "https://camera.lan/",
                                     "https://100.64.0.1/", "https://[fd12::1]/", "https://172.16.0.1/",
                                     "https://[::ffff:10.0.0.1]/", "https://198.18.0.1/",
                                     "https://192.0.2.1/"])  # fmt: skip
def test_outbound_addresses_are_public(address: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        outbound(address)


def test_outbound_addresses_are_https_unless_told() -> None:
    assert outbound("https://public.example/hook").numeric_host == "93.184.216.34"
    with pytest.raises(InvalidAddressError, match="https://"):
        outbound("http://public.example/hook")
    assert outbound("http://public.example/", schemes=frozenset({"http"})).port == 80


def test_networks_may_be_allowed_by_setting(settings: Settings) -> None:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.0/8", "fd00::/8"]

    assert camera("rtsp://127.0.0.1:8554/a").numeric_host == "127.0.0.1"
    assert camera("rtsp://mine.example/a").numeric_host == "127.0.0.1"
    assert outbound("https://[fd12::1]/").numeric_host == "fd12::1"
    with pytest.raises(ForbiddenAddressError):
        camera("rtsp://[::1]/a")
    with pytest.raises(ForbiddenAddressError):
        outbound("https://10.0.0.1/")


def test_own_services_are_refused_even_in_an_allowed_network(settings: Settings) -> None:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.0/8", "10.0.0.0/8"]
    settings.OMMA_PORT = 8000
    settings.DATABASE_URL = "postgresql://u:p@10.9.8.7/omma"
    settings.REDIS_URL = "redis://10.9.8.7:7777/0"

    for address in ("http://127.0.0.1:8000/", "rtsp://10.9.8.7:5432/", "rtsp://10.9.8.7:7777/"):
        with pytest.raises(ForbiddenAddressError, match="own services"):
            camera(address)
    assert camera("rtsp://10.9.8.7/main").port == 554


def test_the_web_is_refused_at_every_address_of_this_machine(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OMMA_PORT = 8000
    monkeypatch.setattr(own_services, "_own_addresses", lambda: {ipaddress.ip_address("192.168.1.20")})

    with pytest.raises(ForbiddenAddressError, match="own services"):
        camera("http://camera.lan:8000/video")
    assert camera("http://camera.lan:8081/video").port == 8081


def test_this_machine_knows_its_addresses() -> None:
    assert ipaddress.ip_address("127.0.0.1") in own_services._own_addresses()
    assert len(own_services._own_addresses()) <= sum(len(one) for one in psutil.net_if_addrs().values())


def test_trust_is_for_the_exact_scheme_host_and_port() -> None:
    trusted = trusted_origin_of("rtsp://user:pw@127.0.0.1:8554/main")

    assert trusted == "rtsp://127.0.0.1:8554"
    assert camera("rtsp://127.0.0.1:8554/other", trusted).is_trusted
    for address in ("rtsp://127.0.0.1/main", "rtsps://127.0.0.1:8554/main", "http://127.0.0.1:8554/",
                    "rtsp://127.0.0.2:8554/", "rtsp://[::1]:8554/"):  # fmt: skip
        with pytest.raises(ForbiddenAddressError):
            camera(address, trusted)


@pytest.mark.parametrize(
    ("driver", "address"),
    [("rtsp", "http://camera.lan/"), ("hls", "rtsp://camera.lan/"), ("mjpeg", "rtsp://camera.lan/"),
     ("file", "rtsp://camera.lan/"), ("v4l2", "http://camera.lan/"), ("synthetic", "rtsp://camera.lan/")],
)  # fmt: skip
def test_each_driver_has_its_own_schemes(driver: str, address: str) -> None:
    with pytest.raises(InvalidAddressError):
        camera(address, driver=driver)


@pytest.fixture
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.OMMA_DATA_DIR = tmp_path / "data"
    folder = tmp_path / "data" / "media"
    folder.mkdir(parents=True)
    return folder


def test_files_below_the_media_folder_may_be_played(media: Path) -> None:
    video = media / "holiday 1.mp4"
    video.write_bytes(b"x")

    assert camera(str(video)).path == video
    assert camera(f"file://{video}".replace(" ", "%20"), driver="file").scheme == "file"


def test_other_files_and_devices_come_from_the_command_line(media: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(b"x")
    (media / "link.mp4").symlink_to(outside)
    sibling = media.parent / "media-other"
    sibling.mkdir()
    (sibling / "x.mp4").write_bytes(b"x")

    for address in (str(outside), f"{media}/../../outside.mp4", str(media / "link.mp4"), "/etc/passwd",
                    "file:///etc/passwd", str(sibling / "x.mp4"), "/dev/video0", "/dev/stdin",
                    "/proc/self/environ", "file:///proc/../etc/passwd", "file:///%2e%2e/etc/passwd",
                    "~/x.mp4", "relative.mp4"):  # fmt: skip
        with pytest.raises(ForbiddenAddressError):
            camera(address)
    assert camera(str(outside), trusted_origin_of(str(outside))).is_trusted


def test_a_missing_file_is_said_so(media: Path) -> None:
    with pytest.raises(InvalidAddressError) as refusal:
        camera(str(media / "none.mp4"))

    assert refusal.value.error_code == "address_not_found"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "file://host/x.mp4",
        "file:///a%00b",
        "/media/a\x00b.mp4",
        "/\ud800.mp4",
        "/media/a\nb.mp4",
        "/" + "x" * 1001,
    ],
)
def test_odd_paths_are_refused(media: Path, address: str) -> None:
    with pytest.raises(InvalidAddressError):
        camera(address)


def test_the_synthetic_camera_needs_no_network() -> None:
    assert camera("synthetic:person", driver="synthetic").scheme == "synthetic"
