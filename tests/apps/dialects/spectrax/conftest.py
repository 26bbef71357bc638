from pathlib import Path

import pytest
from pytest_django import Settings

from tests.apps.dialects.spectrax.seed import SEED_NAME
from tests.apps.dialects.spectrax.yard import Yard, make_yard


@pytest.fixture
def yard(tmp_path: Path, settings: Settings, db: None) -> Yard:
    """Return two cameras on volumes and in a data folder of their own."""
    settings.OMMA_DATA_DIR = tmp_path / "data"
    return make_yard(tmp_path)


@pytest.fixture(scope="session")
def seed(shared_dir: Path) -> str:
    """Return the document that the dialect was read from."""
    path = shared_dir / "seeds" / SEED_NAME
    if not path.is_file():
        pytest.skip(f"shared: no document at {path}")
    return path.read_text(encoding="utf-8")
