"""One running Omma, started by the command that people use, shared by every end-to-end test."""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

Found = TypeVar("Found")
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a long enough password"
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 15


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class RunningOmma:
    """`manage.py up` as a child, with its output kept."""

    data_dir: Path
    cameras: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    output: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait for the line that says that a browser can log in."""
        command = [sys.executable, "manage.py", "up", "--no-demo", "--port", str(self.port)]
        command += ["--data-dir", str(self.data_dir)]
        for camera in self.cameras:
            command += ["--camera", camera]
        inherited = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL", "BUS_URL"}}
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**inherited, "OMMA_ADMIN_PASSWORD": PASSWORD, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read_output, args=(lines,), daemon=True)
        self._reader.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                line = lines.get(timeout=0.5)
            except queue.Empty:
                if self.process.poll() is not None:
                    break
                continue
            if line.startswith("Omma is ready:"):
                return
        tail = "\n".join(self.output[-40:])
        self.stop()
        raise AssertionError(f"Omma did not become ready:\n{tail}")

    def _read_output(self, lines: "queue.Queue[str]") -> None:
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.output.append(line.rstrip("\n"))
                lines.put(line)

    def stop(self) -> float:
        """End it as a service manager would, and return how many seconds that took."""
        began = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(5)
                raise AssertionError(f"Omma did not stop within {STOP_TIMEOUT_S} s") from None
        took_s = time.monotonic() - began
        self._reader.join(5)  # it ends with the output of the last process
        return took_s

    def client(self, username: str = "admin", password: str = PASSWORD) -> httpx.Client:
        """Return an HTTP client with a login."""
        return httpx.Client(base_url=self.url, auth=(username, password), timeout=20)


def camera_named(client: httpx.Client, name: str) -> dict[str, Any]:
    """Return the camera of that name."""
    cameras: list[dict[str, Any]] = client.get("/api/v1/cameras/").json()["results"]
    return next(camera for camera in cameras if camera["name"] == name)


def wait_for(
    what: str, look: Callable[[], Found | None], *, timeout_s: float = 60, every_s: float = 0.5
) -> Found:
    """Look again and again until there is something, and return it; bounded."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(every_s)
    raise AssertionError(f"no {what} within {timeout_s:.0f} s")
