"""A supervisor of its own over real model hosts, on the test's database and bus."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from apps.inference.hosting import inference_supervisor
from omma_engine.supervise import Supervisor
from tests.engine.inference.conftest import FPS, scene_pictures
from tests.engine.inference.recorded import write_video

Wait = Callable[..., None]
SupervisorMaker = Callable[..., Supervisor]


@pytest.fixture
def wait_until() -> Wait:
    """Wait for other processes: poll until something is true, at most so long."""

    def wait(is_true: Callable[[], Any], limit_s: float = 60.0) -> None:
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


@pytest.fixture(scope="session")
def short_visit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2 s of the empty scene, then a person who walks through for 8 s."""
    frames = [*range(20), *range(40, 120)]
    pictures = (next(scene_pictures(range(frame, frame + 1))) for frame in frames)
    return write_video(tmp_path_factory.mktemp("video") / "short.mp4", pictures, fps=FPS, gop=10)


@pytest.fixture
def make_supervisor(transactional_db: Any, data_dir: Path) -> Iterator[SupervisorMaker]:
    """Start supervisors of analytics; they are stopped when the test ends."""
    started: list[Supervisor] = []

    def make(name: str = "inference@test") -> Supervisor:
        supervisor = inference_supervisor(name)
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield make
    for supervisor in started:
        supervisor.stop()
