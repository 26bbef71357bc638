"""Fixtures of every test. Nothing here imports Django: tests of the engine run without it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clocks import FakeClock
from tests.network import block_outside_world
from tests.skips import SkipWatch

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--extras", action="store_true", help="run the tests of the optional parts (tests/extras)"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the extras to their own environment: `make test-extras`."""
    is_extra = collection_path == Path(__file__).parent / "extras"
    return True if is_extra and not config.getoption("--extras") else None


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(SkipWatch(), "skip-watch")


@pytest.fixture(autouse=True, scope="session")
def _stay_on_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        block_outside_world(patch)
        yield


@pytest.fixture
def fake_clock() -> FakeClock:
    """Return a clock that stands still."""
    return FakeClock()


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder with shared media and models, or skip where there is none."""
    folder = Path(os.environ.get("OMMA_SHARED_DIR") or ROOT.parent / "shared")
    if not (folder / "media").is_dir():
        pytest.skip(f"shared: no media at {folder}")
    return folder
