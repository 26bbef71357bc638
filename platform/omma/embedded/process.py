"""Start a child that dies with its parent, and stop it within a bound."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

LAUNCHER = Path(__file__).with_name("launch.py")


def launch(
    program: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    environment: Mapping[str, str],
    output: IO[bytes] | int,
    identity: tuple[int, int] | None = None,
    folder: Path | None = None,
    descriptors: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own; it gets `death_signal` when the calling *thread* ends.

    Call it from the main thread only. `identity` is the (user, group) to become, when started as root;
    `descriptors` are open files that the program inherits.
    """
    who = f"{identity[0]}:{identity[1]}" if identity else "-"
    wrapper = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(death_signal)), who]
    return subprocess.Popen(
        [*wrapper, *(str(part) for part in program)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
        pass_fds=tuple(descriptors),
    )


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals, timeout_s: float) -> None:
    """Ask a child to stop, and kill it when it has not within the time. Idempotent."""
    if process.poll() is None:
        process.send_signal(stop_signal)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def server_environment() -> dict[str, str]:
    """Return what an embedded server may inherit: nothing of ours, so that no secret reaches it."""
    kept = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C", "TZ": "UTC"}
