"""The supervisor's part, for tests: a zygote or an exec'd child, its line spoken, its news collected."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from omma_engine.capture.spec import encode_spec
from omma_engine.types import RecordMode, SourceKind, SourceSpec, StreamSpec

EPOCH = 1 << 20


def source_spec(
    root: Path,
    kind: SourceKind,
    url: str,
    *,
    mode: RecordMode = RecordMode.CONTINUOUS,
    segment_s: int = 60,
    numeric_host: str = "",
    **options: object,
) -> SourceSpec:
    stream = StreamSpec(uuid.uuid4(), "main", mode, root, segment_s=segment_s)
    return SourceSpec(uuid.uuid4(), uuid.uuid4(), uuid.uuid4(), kind, url, (stream,), numeric_host, options)


class Child:
    """The supervisor's end of one child's line. Beats while it waits."""

    def __init__(self, line: socket.socket, pid: int) -> None:
        self.line = line
        self.pid = pid
        self.heard: list[dict[str, Any]] = []
        self.is_gone = False
        self.beats = True
        self._held = b""

    def start(self, spec: SourceSpec, epoch: int = EPOCH) -> None:
        self.tell({"do": "start", "spec": encode_spec(spec), "epoch": epoch})

    def tell(self, message: dict[str, Any]) -> None:
        self.line.sendall(json.dumps(message).encode() + b"\n")

    def wait(self, done: Callable[[], bool], timeout_s: float = 20.0) -> None:
        """Listen until something is true; fails when it does not become so."""
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline, f"waited in vain; heard {self.heard[-5:]}"
            self.listen_once()

    def wait_gone(self, timeout_s: float = 10.0) -> None:
        self.wait(lambda: self.is_gone, timeout_s)

    def listen_for(self, seconds: float, *, others: Sequence["Child"] = ()) -> None:
        """Listen so long, to other children too."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for child in (self, *others):
                child.listen_once(0.1 / (1 + len(others)))

    def news(self, kind: str) -> list[dict[str, Any]]:
        return [
            each["payload"]
            for each in self.heard
            if each["say"] == "news" and each["payload"]["kind"] == kind
        ]

    def states(self) -> list[str]:
        return [each["state"] for each in self.news("state")]

    def beats_heard(self) -> list[dict[str, Any]]:
        return [each for each in self.heard if each["say"] == "beat"]

    def listen_once(self, patience_s: float = 0.1) -> None:
        """Beat, and take what has come or comes soon."""
        if self.beats and not self.is_gone:
            with contextlib.suppress(OSError):  # what it said before it left is still to be read
                self.tell({"do": "beat"})
        readable, _, _ = select.select([self.line], [], [], patience_s)
        if readable and not self.is_gone:
            try:
                data = self.line.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            self.is_gone = not data
            *lines, self._held = (self._held + data).split(b"\n")
            self.heard.extend(json.loads(line) for line in lines)


def _program(module: str, descriptor_option: str, descriptor: int, root: Path, publisher: str) -> list[str]:
    return [
        sys.executable, "-m", module, descriptor_option, str(descriptor),
        "--publisher", publisher, "--bus-url", "", "--data-dir", str(root),
    ]  # fmt: skip


class ZygoteDriver:
    """A zygote, and what the supervisor does with it."""

    def __init__(self, root: Path, publisher: str = "none", *, prefix: Sequence[str] = ()) -> None:
        """`prefix` is the command that the zygote is run by, such as one that enters a namespace."""
        self._root = root
        self._publisher = publisher
        self._prefix = prefix
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = _program(
            "omma_engine.capture.zygote", "--control-fd", theirs.fileno(), self._root, self._publisher
        )
        self.process = subprocess.Popen([*self._prefix, *command], pass_fds=[theirs.fileno()])
        theirs.close()
        self.control.settimeout(20)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.control.close()
        for child in self._children:
            child.line.close()
        self.process.wait(10)

    def fork(self, key: str = "source") -> Child:
        ours, theirs = socket.socketpair()
        socket.send_fds(self.control, [json.dumps({"do": "fork", "id": key}).encode()], [theirs.fileno()])
        theirs.close()
        said = self.hear()
        assert said["say"] == "forked"
        self._children.append(Child(ours, said["pid"]))
        return self._children[-1]

    def hear(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.control.recv(65_536))
        return said


class ExecDriver:
    """A child in a process of its own."""

    def __init__(self, root: Path, publisher: str = "none") -> None:
        self._root = root
        self._publisher = publisher

    def __enter__(self) -> Child:
        ours, theirs = socket.socketpair()
        command = _program(
            "omma_engine.capture.child", "--socket-fd", theirs.fileno(), self._root, self._publisher
        )
        self.process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        theirs.close()
        self.child = Child(ours, self.process.pid)
        return self.child

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.line.close()
        self.process.wait(10)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
