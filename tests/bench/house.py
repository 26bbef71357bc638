"""Omma's servers over a folder of their own, with cameras; what is measured is started by hand.

The benches read rows over a connection of their own: nothing here imports Django, so that nothing that is
measured shares its memory with the bench.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psutil
import psycopg

from omma.embedded.process import launch, stop
from omma.embedded.servers import EmbeddedServers
from omma.embedded.valkey import Valkey
from omma.tree.environment import member_environment, python
from omma.tree.members import member_specs
from omma.tree.options import ROOT, TreeOptions
from omma.tree.tree import prepare_folder

Process = subprocess.Popen[bytes]
Found = TypeVar("Found")
_PREPARE_TIMEOUT_S = 120
_STOP_TIMEOUT_S = 12.0


class House:
    """Servers, a migrated database and cameras, which record all the time; everything is gone afterwards.

    A folder that is `kept` stays, and what lies in it is used again. What is not `is_durable` does not wait
    for the disk. Enter it and start processes in the main thread only: they die with the thread that
    started them.
    """

    def __init__(self, cameras: Sequence[str], *, kept: Path | None = None, is_durable: bool = True) -> None:
        self._cameras = tuple(cameras)
        self._kept = kept
        self._is_durable = is_durable
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        if self._kept is None:
            self.folder = Path(tempfile.mkdtemp(prefix="omma-bench-"))
        else:
            self.folder = self._kept
            self.folder.mkdir(parents=True, exist_ok=True)
        self.data_dir = self.folder / "data"
        self.folder.chmod(0o711)  # as root, Postgres runs as somebody else and passes through
        options = TreeOptions("127.0.0.1", 0, self.data_dir, self._cameras, has_demo=False)
        mask = os.umask(0o077)
        prepare_folder(options)
        os.umask(mask)
        self._servers = EmbeddedServers(
            self.data_dir, secrets_dir=self.data_dir / "secrets", is_durable=self._is_durable
        )
        self._servers.start()
        own = {
            "OMMA_SECRETS_DIR": str(self.data_dir / "secrets"),
            "OMMA_ADMIN_PASSWORD": "a password to bench with",
        }
        self.environment = member_environment(options, 0, self._servers.addresses) | own
        try:
            self._prepare()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            stop(process, signal.SIGTERM, _STOP_TIMEOUT_S)
        self._servers.stop()
        if self._kept is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def postgres_pid(self) -> int:
        """The database's first process; its own children do the work."""
        postgres = self._servers.postgres
        assert postgres is not None
        assert postgres.process is not None
        return postgres.process.pid

    def postgres_backends(self) -> list[int]:
        """Return the database's other processes."""
        return [process.pid for process in psutil.Process(self.postgres_pid).children()]

    def start_postgres(self) -> None:
        """Start the database again after it was killed."""
        assert self._servers.postgres is not None
        assert self._servers.postgres.process is not None
        self._servers.postgres.process.wait(10)
        self._servers.postgres.start()

    def valkeys(self) -> list[Valkey]:
        """Return the broker's server and the bus's."""
        return [server for server in (self._servers.broker, self._servers.bus) if server is not None]

    def start(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> Process:
        """Start a process that dies with this one; its words go to a log in the folder."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = launch(
                command,
                death_signal=signal.SIGKILL,
                environment={**self.environment, **(environment or {})},
                output=log.fileno(),
                folder=ROOT,
            )
        self._processes.append(process)
        return process

    def start_capture(self, name: str = "capture") -> Process:
        """Start the capture supervisor in a process of its own."""
        return self.start(name, python("manage.py", "capture", "--name", name))

    def start_inference(self) -> Process:
        """Start the supervisor of analytics in a process of its own."""
        return self.start("inference", python("manage.py", "inference"))

    def start_worker(self, name: str) -> Process:
        """Start the worker that the tree calls so, as the tree does."""
        (spec,) = (each for each in member_specs(0) if each.name == name)
        return self.start(name, spec.command, spec.environment)

    def stop(self, process: Process) -> None:
        """Ask a process to end, and wait for it."""
        stop(process, signal.SIGTERM, _STOP_TIMEOUT_S)

    def log_of(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a connection of its own and return its rows."""
        with psycopg.connect(self._servers.addresses.database, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def _prepare(self) -> None:
        """Migrate and add the cameras, as `up` does."""
        added = [part for camera in self._cameras for part in ("--camera", camera)]
        process = self.start("prepare", python("manage.py", "prepare", *added))
        if process.wait(_PREPARE_TIMEOUT_S) != 0:
            raise RuntimeError(f"the database could not be prepared:\n{self.log_of('prepare')}")
        self.rows("UPDATE streams_stream SET mode = 'continuous'")


def wait_for(what: str, look: Callable[[], Found | None], *, timeout_s: float, every_s: float = 0.2) -> Found:
    """Look again and again until there is something; raises `TimeoutError` when there is not in time."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        found = look()
        if found:
            return found
        time.sleep(every_s)
    raise TimeoutError(f"no {what} within {timeout_s:g} s")
