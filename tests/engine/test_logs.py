"""What the engine's own processes write into the log."""

import io
import logging
import re
from collections.abc import Iterator

import pytest

from omma_engine.logs import log_to_stderr
from omma_engine.redaction import redact


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return the log of a process that has just begun."""
    root, talkative = logging.getLogger(), logging.getLogger("httpx")
    before = root.handlers[:], root.level, talkative.level
    root.handlers.clear()
    text = io.StringIO()
    log_to_stderr(text)
    yield text
    root.handlers[:], level, talkative.level = before
    root.setLevel(level)


def test_lines_have_a_time_and_a_level_and_no_secret(log: io.StringIO) -> None:
    try:
        raise OSError("rtsp://admin:canary@10.0.0.5/main: refused")
    except OSError:
        logging.getLogger("omma_engine.test").exception("no picture")

    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ E omma_engine\.test: no picture", log.getvalue())
    assert "10.0.0.5/main: refused" in log.getvalue()
    assert "canary" not in log.getvalue()


def test_requests_are_not_logged_one_by_one(log: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET http://10.0.0.5/hls/1.ts?session=canary")

    assert log.getvalue() == ""


@pytest.mark.parametrize(
    "address",
    ["rtsp://admin:canary@10.0.0.5/main", "rtsp://admin:can@ry@10.0.0.5/main", "RTSP://canary@10.0.0.5/main"],
)
def test_logins_are_taken_out_of_addresses(address: str) -> None:
    shown = redact(f"open {address} failed")

    assert shown.lower() == "open rtsp://***@10.0.0.5/main failed"


@pytest.mark.parametrize("address", [
    "rtsp://10.0.0.5/user=admin_password=canary_channel=1.sdp",
    "rtsp://10.0.0.5/user=admin&password=canary&channel=1",
    "http://10.0.0.5/video;pwd=canary",
    "rtsp://10.0.0.5/h264?channel=1&pwd=canary",
])  # fmt: skip
def test_secrets_in_paths_and_queries_are_taken_out(address: str) -> None:
    assert "canary" not in redact(address)
    assert redact(address).startswith(address.partition("=")[0])
