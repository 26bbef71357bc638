"""A pytest plugin: real Postgres and two Valkeys for the run, addressed before Django reads its settings.

Named in `addopts`, because pytest-django loads the settings before it looks at any conftest. The addresses
are known before the servers run, so tests of the engine alone start none.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from omma.embedded.servers import EmbeddedServers

DATA_DIR = Path(tempfile.mkdtemp(prefix="omma-test-"))
DATA_DIR.chmod(0o711)  # as root, Postgres runs as somebody else and passes through
(DATA_DIR / "staticfiles").mkdir()
SERVERS = EmbeddedServers(DATA_DIR, secrets_dir=DATA_DIR / "secrets", is_durable=False)
WITHOUT_SERVERS = ("tests/engine/", "tests/extras/", "tests/farm/", "tests/faults/test_plugin")

for _name in [name for name in os.environ if name.startswith("OMMA_") and name != "OMMA_SHARED_DIR"]:
    del os.environ[_name]
os.environ.update(SERVERS.addresses.environment(), OMMA_DATA_DIR=str(DATA_DIR))


def needs_servers(item: pytest.Item) -> bool:
    """Tell whether a test may touch Django."""
    return not item.nodeid.startswith(WITHOUT_SERVERS)


def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.option.collectonly and any(needs_servers(item) for item in session.items):
        SERVERS.start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    SERVERS.stop()
    shutil.rmtree(DATA_DIR, ignore_errors=True)
