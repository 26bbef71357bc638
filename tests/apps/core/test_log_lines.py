"""Log lines carry no secrets, and no traceback for what a client did wrong."""

import logging
import logging.config
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.test import Client


@pytest.fixture
def log() -> Iterator[StringIO]:
    """Return what the console of a process shows."""
    text = StringIO()
    configured: dict[str, Any] = {**settings.LOGGING, "disable_existing_loggers": False}
    handler = logging.StreamHandler(text)
    config = logging.config.DictConfigurator(configured)
    handler.setFormatter(config.configure_formatter(configured["formatters"]["plain"]))
    for name in configured["handlers"]["console"]["filters"]:
        handler.addFilter(config.configure_filter(configured["filters"][name]))
    logging.getLogger().addHandler(handler)
    yield text
    logging.getLogger().removeHandler(handler)


def test_a_password_in_a_message_or_traceback_is_not_written(log: StringIO) -> None:
    address = "rtsp://admin:canary@10.0.0.5/main"
    try:
        raise OSError(f"cannot open {address}")
    except OSError:
        logging.getLogger("omma.test").exception("no picture from %s", address)

    assert "Traceback" in log.getvalue()
    assert "10.0.0.5/main" in log.getvalue()
    assert "canary" not in log.getvalue()


def test_a_wrong_host_is_one_line(log: StringIO) -> None:
    answer = Client(headers={"host": "evil.example"}).get("/api/v1/cameras/")

    assert answer.status_code == 400
    assert "evil.example" in log.getvalue()
    assert "Traceback" not in log.getvalue()
