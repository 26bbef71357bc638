from pathlib import Path

import pytest
from pytest_django import Settings

from tests.apps.recordings.archive import Archive, make_archive


@pytest.fixture
def archive(tmp_path: Path, settings: Settings, db: None) -> Archive:
    """Return a stream with an empty volume, in a data folder of its own."""
    settings.OMMA_DATA_DIR = tmp_path / "data"
    return make_archive(tmp_path / "volume")
