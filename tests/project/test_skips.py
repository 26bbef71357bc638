"""A run in CI fails when something was skipped that should not be."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

TEST = """
import pytest

def test_it():
    pytest.skip({reason!r})
"""
CONFTEST = """
from tests.skips import SkipWatch

def pytest_configure(config):
    config.pluginmanager.register(SkipWatch())
"""


@pytest.mark.parametrize(
    ("reason", "ci", "status"),
    [
        ("shared: no media", "true", 0),
        ("too lazy today", "true", 1),
        ("too lazy today", "", 0),
    ],
)
def test_an_unlisted_skip_fails_a_run_in_ci(tmp_path: Path, reason: str, ci: str, status: int) -> None:
    (tmp_path / "test_one.py").write_text(TEST.format(reason=reason))
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:django", "-p", "no:cacheprovider", "-q", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False, env={"CI": ci},
    )  # fmt: skip

    assert run.returncode == status, run.stdout
    assert ("does not list" in run.stdout) is (status == 1)
