"""The embedded servers together: those that no address replaces."""

from dataclasses import dataclass
from pathlib import Path

from omma.embedded.errors import EmbeddedServerError
from omma.embedded.postgres import Postgres
from omma.embedded.runtime_folder import runtime_folder
from omma.embedded.secret_file import read_or_make
from omma.embedded.valkey import BROKER, BUS, Valkey


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three servers answer; empty where the embedded one does."""

    database: str = ""
    broker: str = ""
    bus: str = ""

    def environment(self) -> dict[str, str]:
        """Return them as the variables that the settings read."""
        return {"DATABASE_URL": self.database, "REDIS_URL": self.broker, "BUS_URL": self.bus}


@dataclass(frozen=True, slots=True)
class Restart:
    """A server that had ended; `problem` says why it could not be started again."""

    name: str
    problem: str = ""


class EmbeddedServers:
    """Starts what has no address of its own, and stops it in the opposite order."""

    def __init__(
        self, data_dir: Path, *, secrets_dir: Path, external: Addresses | None = None, is_durable: bool = True
    ) -> None:
        self._external = external or Addresses()
        log_dir = data_dir / "logs"
        log_dir.mkdir(parents=True, exist_ok=True)
        runtime = runtime_folder(data_dir)
        password = read_or_make(secrets_dir / "postgres.password")
        self.postgres = None if self._external.database else Postgres(
            data_dir / "pg", runtime=runtime, log_dir=log_dir, password=password, is_durable=is_durable
        )  # fmt: skip
        self.broker = None if self._external.broker else Valkey(BROKER, folder=runtime, log_dir=log_dir)
        has_bus = not self._external.bus and not self._external.broker
        self.bus = Valkey(BUS, folder=runtime, log_dir=log_dir) if has_bus else None

    @property
    def addresses(self) -> Addresses:
        """Return every server's address; known before anything is started."""
        broker = self.broker.url if self.broker else self._external.broker
        return Addresses(
            database=self.postgres.url if self.postgres else self._external.database,
            broker=broker,
            bus=self.bus.url if self.bus else (self._external.bus or broker),
        )

    def start(self) -> None:
        """Start them; stop what was started when one fails."""
        try:
            for server in (self.postgres, self.broker, self.bus):
                if server is not None:
                    server.start()
        except BaseException:
            self.stop()
            raise

    def restart_ended(self) -> list[Restart]:
        """Start again what has ended by itself; return which, and why it could not be started."""
        servers = {"PostgreSQL": self.postgres, "Valkey (broker)": self.broker, "Valkey (bus)": self.bus}
        restarts = []
        for name, server in servers.items():
            if server is None or (server.process is not None and server.process.poll() is None):
                continue
            try:
                server.start()
            except (EmbeddedServerError, OSError) as error:
                restarts.append(Restart(name, str(error)))
            else:
                restarts.append(Restart(name))
        return restarts

    def stop(self) -> None:
        """Stop Valkey, then Postgres. Idempotent and bounded."""
        for server in (self.bus, self.broker, self.postgres):
            if server is not None:
                server.stop()
