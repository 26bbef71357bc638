"""A supervisor's end of a model host's line, for tests."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from omma_engine.detect.spec import ModelSpec
from omma_engine.inference.spec import AnalyticSpec, encode_analytic

ROOT = Path(__file__).resolve().parents[3]
PEOPLE = ModelSpec(version_id="people-1", builtin="people")
MOTION = ModelSpec(version_id="motion-1", builtin="motion")

Message = dict[str, Any]


class HostDriver:
    """Starts a host as a process and talks to it."""

    def __init__(self, folder: Path, *, speed: float) -> None:
        ours, theirs = socket.socketpair()
        self.folder = folder
        self.heard: list[Message] = []
        self._line = ours
        self._line.settimeout(0.1)
        self._unread = b""
        self._sequence_beat = 0.0
        command = [
            sys.executable, "-m", "omma_engine.inference.host", "--socket-fd", str(theirs.fileno()),
            "--reader", "tests.engine.inference.recorded:connect",
            "--results", "tests.engine.inference.results:connect",
            "--bus-url", f"file:{folder}?speed={speed}", "--data-dir", str(folder),
        ]  # fmt: skip
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}"}
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, cwd=ROOT)
        theirs.close()

    def send(self, message: Message) -> None:
        self._line.sendall(json.dumps(message).encode() + b"\n")

    def add(self, spec: AnalyticSpec, *, epoch: int = 1) -> None:
        self.send({"do": "add", "analytic": encode_analytic(spec), "epoch": epoch})

    def listen_until(self, is_enough: Callable[["HostDriver"], bool], *, timeout_s: float = 40) -> None:
        """Beat and gather messages until the condition holds; fail when it does not in time."""
        deadline = time.monotonic() + timeout_s
        while not is_enough(self):
            assert time.monotonic() < deadline, f"not in {timeout_s} s; heard {self.heard[-5:]}"
            if time.monotonic() - self._sequence_beat > 0.5:
                self._sequence_beat = time.monotonic()
                self.send({"do": "beat"})
            self._read()

    def news(self, kind: str) -> list[Message]:
        return [m["payload"] for m in self.heard if m["say"] == "news" and m["payload"]["kind"] == kind]

    def results(self) -> list[Message]:
        """Return the live results that were published so far."""
        path = self.folder / "results.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def stop(self) -> int:
        """Tell the host to stop, read its last words and return its exit status."""
        self.send({"do": "stop", "reason": "planned"})
        status = self.process.wait(timeout=8)
        self._read()
        return status

    def hang_up(self) -> None:
        """Close the line, as a supervisor that died does."""
        self._line.close()

    def close(self) -> None:
        self._line.close()
        self.process.kill()
        self.process.wait(timeout=5)

    def _read(self) -> None:
        try:
            data = self._line.recv(1 << 20)
        except TimeoutError:
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        self.heard += [json.loads(line) for line in lines]


def analytic(stream: int, model: ModelSpec, **changes: Any) -> AnalyticSpec:
    """Return an analytic on the stream with that number."""
    values: dict[str, Any] = {
        "analytic_id": uuid5(UUID(int=stream), model.version_id),
        "stream_id": UUID(int=stream),
        "model": model,
        "rate_fps": 5.0,
        "min_confidence": 0.4,
        **changes,
    }
    return AnalyticSpec(**values)
