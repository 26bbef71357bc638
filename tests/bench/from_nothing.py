"""How long `make run` takes in a fresh clone: environment, packages, data, until a browser can log in.

Not run by default: it downloads what Omma needs, and the figure is the network's as much as Omma's.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from tests.bench.report import Row
from tests.e2e.running import PASSWORD, ROOT, free_port

_LIMIT_S = 420.0
_STOP_S = 15.0
_READY = "Omma is ready:"


def measure() -> list[Row]:
    """Clone what is committed, and run it twice."""
    with tempfile.TemporaryDirectory(prefix="omma-bench-") as folder:
        clone = Path(folder) / "omma"
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        first_s, second_s = _ready_s(clone), _ready_s(clone)
    late = f"not ready within {_LIMIT_S:g} s"
    return [
        Row("make run from nothing", first_s, "s", note="with downloads" if first_s else late),
        Row("make run the second time", second_s, "s", note="" if second_s else late),
    ]


def _ready_s(clone: Path) -> float | None:
    """Run `make run` until it says that it is ready, stop it, and return how long that took."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("OMMA_", "VIRTUAL_ENV", "PYTHON"))}
    began_s = time.monotonic()
    process = subprocess.Popen(
        ["make", "run", f"ARGS=--port {free_port()} --no-demo"],
        cwd=clone,
        env={**inherited, "OMMA_ADMIN_PASSWORD": PASSWORD},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    guard = threading.Timer(_LIMIT_S, os.killpg, (process.pid, signal.SIGTERM))
    guard.start()
    assert process.stdout is not None
    ready_s = None
    for line in process.stdout:
        if line.startswith(_READY):
            ready_s = time.monotonic() - began_s
            break
    guard.cancel()
    _stop(process)
    return ready_s


def _stop(process: "subprocess.Popen[str]") -> None:
    """End it as a service manager would: `make` has become the tree's parent, so the whole group is told."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=_STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=5)
