"""Commands beside a running `up` find its servers by the data folder alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from omma.embedded.running import running_addresses
from tests.conftest import ROOT
from tests.servers import SERVERS

_ADDRESSES = {"DATABASE_URL", "REDIS_URL", "BUS_URL", "OMMA_DATA_DIR"}


def _manage(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in _ADDRESSES}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment | {"OMMA_DATA_DIR": str(data_dir)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_addresses_of_running_servers_are_found() -> None:
    data_dir = Path(os.environ["OMMA_DATA_DIR"])

    assert running_addresses(data_dir, data_dir / "secrets") == SERVERS.addresses.environment()


def test_nothing_is_found_or_made_where_nothing_runs(tmp_path: Path) -> None:
    assert running_addresses(tmp_path, tmp_path / "secrets") == {}
    assert list(tmp_path.iterdir()) == []


def test_a_command_uses_the_running_servers() -> None:
    done = _manage(Path(os.environ["OMMA_DATA_DIR"]), "showmigrations", "core")

    assert done.returncode == 0, done.stderr
    assert "0001_initial" in done.stdout


@pytest.mark.parametrize("command", [("camera", "add", "Door", "synthetic:yard"), ("showmigrations", "core")])
def test_a_command_says_so_where_nothing_runs(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = _manage(tmp_path, *command)

    assert done.returncode == 1
    assert "The database does not answer" in done.stderr
    assert "Traceback" not in done.stderr
