"""Runs the workshop's child as a worker does, waiting for its end."""

import subprocess
import sys
import time
from pathlib import Path

from omma_engine.detect.sandbox import ultralytics_environment
from omma_engine.workshop.child import BEAT
from tests.conftest import ROOT


def run_child(folder: Path, *, timeout_s: float) -> None:
    """Run the child in `folder` until it ends; keep it alive meanwhile."""
    child = subprocess.Popen(
        [sys.executable, "-m", "omma_engine.workshop.child", str(folder)],
        env=ultralytics_environment(folder) | {"PYTHONPATH": str(ROOT / "platform")},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log.txt").open("wb"),
    )
    deadline = time.monotonic() + timeout_s
    try:
        while child.poll() is None and time.monotonic() < deadline:
            (folder / BEAT).touch()
            time.sleep(0.2)
    finally:
        child.kill()
        child.wait()
