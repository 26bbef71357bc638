"""Network namespaces that a test makes for itself: nothing in them reaches the host's network."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

RELAY = Path(__file__).with_name("relay.py")


class Namespace:
    """A network namespace, alive as long as its first process."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "ip link set lo up && echo ready && exec sleep 900"],
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != b"ready\n":
            self.close()
            pytest.skip("not run: no network namespace can be made")
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def pid(self) -> int:
        return self._holder.pid

    def inside(self, *command: str) -> list[str]:
        """Return the command line that runs a command in this namespace."""
        return ["nsenter", "-t", str(self.pid), "-n", *command]

    def run(self, *command: str) -> None:
        subprocess.run(self.inside(*command), check=True, timeout=10)

    def relay(self, listen: str, connect: str) -> None:
        """Pass on what comes to an address in this namespace; see `relay.py`."""
        self._processes.append(start_relay(self.inside(), listen, connect))

    def close(self) -> None:
        for process in [*getattr(self, "_processes", []), self._holder]:
            end(process)


def start_relay(prefix: Sequence[str], listen: str, connect: str) -> subprocess.Popen[bytes]:
    command = [*prefix, sys.executable, str(RELAY), listen, connect]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


@contextmanager
def namespaces(count: int) -> Iterator[list[Namespace]]:
    """Make so many namespaces, or skip the test where that is not possible."""
    if os.geteuid() != 0:
        pytest.skip("not run: network namespaces need root")
    if any(shutil.which(program) is None for program in ("unshare", "nsenter", "ip")):
        pytest.skip("not run: unshare, nsenter or ip is not installed")
    made: list[Namespace] = []
    try:
        for _ in range(count):
            made.append(Namespace())  # noqa: PERF401 - what was made is closed when the next one fails
        yield made
    finally:
        for one in made:
            one.close()


def join(one: Namespace, other: Namespace, *, name: str, address: str, other_address: str) -> None:
    """Lay a cable between two namespaces: addresses as `10.0.0.1/24`."""
    peer = ["peer", "name", name, "netns", str(other.pid)]
    result = subprocess.run(
        one.inside("ip", "link", "add", name, "type", "veth", *peer), check=False, timeout=10
    )
    if result.returncode != 0:
        pytest.skip("not run: this kernel has no veth pairs")
    for namespace, own in ((one, address), (other, other_address)):
        namespace.run("ip", "address", "add", own, "dev", name)
        namespace.run("ip", "link", "set", name, "up")
