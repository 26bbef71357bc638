"""The services of compose.yaml as processes: their commands, environment and health checks, as nobody."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import yaml

from omma.embedded.process import launch
from omma.embedded.servers import EmbeddedServers
from tests.conftest import ROOT
from tests.project.embedded.test_servers_life import wait_until_gone

NOBODY = (65534, 65534)
VARIABLES = {"POSTGRES_PASSWORD": "unused", "OMMA_ADMIN_PASSWORD": "compose-secret-12"}
LONG_RUNNING = ("web", "capture", "inference", "jobs", "default", "beat")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
    return loaded


def substituted(text: str) -> str:
    """Return a value as compose would: `${NAME:-default}` and `${NAME:?words}`."""
    if not text.startswith("${"):
        return text
    name, _, rest = text.removeprefix("${").removesuffix("}").partition(":")
    return VARIABLES.get(name, rest.removeprefix("-") if rest.startswith("-") else "")


@pytest.fixture(scope="module")
def house() -> Iterator[Path]:
    """Return a clean copy of what git tracks or would, with running servers that anybody may reach."""
    with tempfile.TemporaryDirectory(prefix="omma-image-", ignore_cleanup_errors=True) as name:
        top = Path(name)
        top.chmod(0o755)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, check=True,
        )  # fmt: skip
        for relative in listed.stdout.decode().split("\0"):
            if relative and (ROOT / relative).is_file():
                target = top / "srv" / relative
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / relative, target)
        (top / "data").mkdir(mode=0o700)
        if os.getuid() == 0:
            os.chown(top / "data", *NOBODY)
        (top / "servers").mkdir(mode=0o711)
        servers = EmbeddedServers(top / "servers", secrets_dir=top / "servers" / "secrets", is_durable=False)
        servers.start()
        for server in (servers.broker, servers.bus):
            assert server is not None
            server.socket.chmod(0o777)
        try:
            (top / "addresses").mkdir()
            for variable, value in servers.addresses.environment().items():
                (top / "addresses" / variable).write_text(value)
            yield top
        finally:
            servers.stop()
        assert wait_until_gone(top) == []


class Containers:
    """Services as processes: each with its own environment, none with this process's."""

    def __init__(self, house: Path) -> None:
        self.house = house
        self.services = compose()["services"]
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]

    def environment(self, name: str) -> dict[str, str]:
        """Return the service's environment, with the addresses of the test's servers put in."""
        declared = {key: substituted(str(value)) for key, value in self.services[name]["environment"].items()}
        addresses = {path.name: path.read_text() for path in (self.house / "addresses").iterdir()}
        assert addresses.keys() <= declared.keys()
        return declared | addresses | {
            "OMMA_DATA_DIR": str(self.house / "data"),
            "OMMA_HOST": "127.0.0.1",
            "OMMA_PORT": str(self.port),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{self.house / 'srv'}{os.pathsep}{self.house / 'srv' / 'platform'}",
            "HOME": str(self.house / "data"),
        }  # fmt: skip

    def run(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a command of a service as nobody, its words going to a file."""
        program = [shutil.which(command[0], path=self.environment(name)["PATH"]) or command[0], *command[1:]]
        with (self.house / f"{name}.log").open("ab") as log:
            return launch(
                program,
                death_signal=signal.SIGKILL,
                environment=self.environment(name),
                output=log,
                identity=NOBODY if os.getuid() == 0 else None,
                folder=self.house / "srv",
            )

    def words(self, name: str) -> str:
        return (self.house / f"{name}.log").read_text()

    def wait_until_well(self, name: str) -> None:
        test = self.services[name]["healthcheck"]["test"]
        assert test[0] == "CMD"
        deadline = time.monotonic() + 60
        while self.run(name, test[1:]).wait(30) != 0:
            assert self.running[name].poll() is None, self.words(name)
            assert time.monotonic() < deadline, self.words(name)

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(15)
            finally:
                process.kill()


def test_every_service_runs_as_somebody_and_its_health_check_passes(house: Path) -> None:
    containers = Containers(house)
    assert containers.run("prepare", containers.services["prepare"]["command"]).wait(120) == 0, (
        containers.words("prepare")
    )

    for name in LONG_RUNNING:
        containers.running[name] = containers.run(name, containers.services[name]["command"])
    try:
        for name in LONG_RUNNING:
            containers.wait_until_well(name)
        owners = {psutil.Process(process.pid).uids().real for process in containers.running.values()}
        page = httpx.get(f"http://127.0.0.1:{containers.port}/accounts/login/", timeout=10)
    finally:
        containers.stop()

    assert owners == {NOBODY[0] if os.getuid() == 0 else os.getuid()}
    assert page.status_code == 200
    assert [process.returncode for process in containers.running.values()].count(-signal.SIGKILL) == 0


def test_the_health_check_of_a_missing_member_fails(house: Path) -> None:
    containers = Containers(house)

    assert [
        containers.run(name, ["python", "-m", "omma.health", name]).wait(60) for name in ("web", "capture")
    ] == [1, 1]


def test_each_target_of_the_build_is_used_and_nothing_runs_as_root() -> None:
    recipe = (ROOT / "docker" / "Dockerfile").read_text()
    built = {service["build"]["target"] for service in compose()["services"].values() if "build" in service}

    assert built == {"web", "capture", "inference", "jobs"}
    assert all(f" AS {target}\n" in recipe for target in built)
    assert recipe.index("USER omma") < recipe.index(" AS web")


@pytest.mark.parametrize("target", ["web", "capture", "inference", "jobs"])
def test_an_image_alone_runs_what_its_service_runs(target: str) -> None:
    recipe = (ROOT / "docker" / "Dockerfile").read_text().partition(f" AS {target}\n")[2]
    command = yaml.safe_load(recipe.partition("CMD ")[2].splitlines()[0])

    assert command == compose()["services"][target]["command"]
