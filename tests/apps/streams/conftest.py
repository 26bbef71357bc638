"""A supervisor of its own over real children, on the test's database."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.cameras.services import add_camera
from apps.streams.capture import capture_supervisor
from apps.streams.models import Stream
from apps.streams.volumes import ensure_default_volume
from omma_engine.supervise import Supervisor
from tests.factories import make_account

Wait = Callable[..., None]
CaptureMaker = Callable[..., Supervisor]


@pytest.fixture
def wait_until() -> Wait:
    """Wait for other processes: poll until something is true, at most so long."""

    def wait(is_true: Callable[[], Any], limit_s: float = 45.0) -> None:
        deadline = time.monotonic() + limit_s
        while not is_true():
            assert time.monotonic() < deadline, f"not true within {limit_s} s"
            time.sleep(0.05)

    return wait


@pytest.fixture
def data_dir(settings: LazySettings, tmp_path: Path) -> Path:
    """Return a data folder of the test's own."""
    settings.OMMA_DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def account(transactional_db: Any, data_dir: Path) -> Account:
    ensure_default_volume()
    return make_account()


@pytest.fixture
def make_capture(account: Account) -> Iterator[CaptureMaker]:
    """Start supervisors; they are stopped when the test ends."""
    started: list[Supervisor] = []

    def make(name: str = "capture@test", **options: Any) -> Supervisor:
        supervisor = capture_supervisor(name, **options)
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield make
    for supervisor in started:
        supervisor.stop()


def add_stream(account: Account, address: str, *, mode: str = "continuous", **options: Any) -> Stream:
    """Add a camera as the host's owner does, and return its stream."""
    camera: Camera = add_camera(
        actor=system_actor(), account=account, name="Door", address=address, is_trusted=True, **options
    )
    Stream.objects.filter(camera=camera).update(mode=mode)
    return Stream.objects.get(camera=camera)
