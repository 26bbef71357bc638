"""Embedded servers keep their data, recover from a kill, refuse strange data, and leave nothing behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from omma.embedded.errors import EmbeddedServerError
from omma.embedded.servers import Addresses, EmbeddedServers, Restart
from tests.conftest import ROOT

HOLD = """
import sys, time
from pathlib import Path
from omma.embedded.servers import EmbeddedServers
folder = Path(sys.argv[1])
servers = EmbeddedServers(folder, secrets_dir=folder / "secrets", is_durable=False)
servers.start()
print("up", flush=True)
time.sleep(60)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Return a folder that another user may pass through, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="omma-servers-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


def servers_in(
    data_dir: Path, external: Addresses | None = None, *, is_durable: bool = False
) -> EmbeddedServers:
    return EmbeddedServers(
        data_dir, secrets_dir=data_dir / "secrets", external=external, is_durable=is_durable
    )


def living_in(data_dir: Path) -> list[psutil.Process]:
    """Return living processes that mention the folder, or work in it."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            if process.status() != psutil.STATUS_ZOMBIE and str(data_dir) in f"{words} {process.cwd()}":
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_until_gone(data_dir: Path, timeout_s: float = 8) -> list[psutil.Process]:
    deadline = time.monotonic() + timeout_s
    while (left := living_in(data_dir)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def test_committed_data_survives_a_kill(data_dir: Path) -> None:
    servers = servers_in(data_dir, is_durable=True)
    servers.start()
    try:
        with psycopg.connect(servers.addresses.database) as connection:
            connection.execute("CREATE TABLE kept (word text)")
            connection.execute("INSERT INTO kept VALUES ('here')")
        assert servers.postgres is not None
        assert servers.postgres.process is not None
        servers.postgres.process.kill()
        servers.postgres.process.wait()

        assert servers.restart_ended() == [Restart("PostgreSQL")]

        with psycopg.connect(servers.addresses.database) as connection:
            assert connection.execute("SELECT word FROM kept").fetchall() == [("here",)]
    finally:
        servers.stop()
    assert wait_until_gone(data_dir) == []


def test_a_server_that_does_not_come_up_again_is_told_and_tried_again(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = servers_in(data_dir)
    servers.start()
    try:
        assert servers.postgres is not None
        assert servers.bus is not None
        for server in (servers.postgres, servers.bus):
            assert server.process is not None
            server.process.kill()
            server.process.wait()
        with monkeypatch.context() as broken:
            broken.setattr("omma.embedded.postgres.BINARIES", data_dir / "nothing")
            postgres, bus = servers.restart_ended()
        assert (postgres.name, bus) == ("PostgreSQL", Restart("Valkey (bus)"))
        assert "PostgreSQL ended at once" in postgres.problem

        assert servers.restart_ended() == [Restart("PostgreSQL")]
    finally:
        servers.stop()


def test_servers_die_with_a_killed_parent_and_start_again_at_once(data_dir: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "up\n"
    assert len(living_in(data_dir)) > 3

    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    servers = servers_in(data_dir)
    servers.start()
    servers.stop()

    assert wait_until_gone(data_dir) == []


def test_another_major_version_is_refused_with_words(data_dir: Path) -> None:
    (data_dir / "pg").mkdir()
    if os.getuid() == 0:
        os.chown(data_dir / "pg", 65534, 65534)
    (data_dir / "pg" / "PG_VERSION").write_text("15\n")

    with pytest.raises(EmbeddedServerError, match="made by PostgreSQL 15"):
        servers_in(data_dir).start()

    assert living_in(data_dir) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root changes users")
def test_as_root_only_postgres_runs_as_somebody_else(data_dir: Path) -> None:
    servers = servers_in(data_dir)
    servers.start()
    try:
        users = {process.name(): process.uids().real for process in living_in(data_dir)}
    finally:
        servers.stop()

    assert users["postgres"] != 0
    assert users["valkey-server"] == 0
    assert (data_dir / "pg").stat().st_uid == users["postgres"]
    assert data_dir.stat().st_uid == 0


def test_an_address_replaces_its_server(data_dir: Path) -> None:
    servers = servers_in(
        data_dir, Addresses(database="postgresql://elsewhere/omma", broker="redis://elsewhere")
    )

    assert (servers.postgres, servers.broker, servers.bus) == (None, None, None)
    assert servers.addresses.bus == "redis://elsewhere"


@pytest.mark.fault("F40")
def test_marks_of_a_killed_postgres_that_name_somebody_elses_process_keep_nobody_out(data_dir: Path) -> None:
    servers = servers_in(data_dir)
    servers.start()
    try:
        assert servers.postgres is not None
        assert servers.postgres.process is not None
        servers.postgres.process.kill()
        servers.postgres.process.wait(10)
        for mark in (data_dir / "pg" / "postmaster.pid", *data_dir.rglob(".s.PGSQL.5432.lock")):
            lines = mark.read_text().splitlines()
            mark.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")

        servers.postgres.start()

        with psycopg.connect(servers.postgres.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        servers.stop()
