"""`manage.py up`: one line when it is ready, members that come back, a bounded stop, nothing left behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest

from tests.conftest import ROOT
from tests.project.embedded.test_servers_life import living_in, wait_until_gone

STOP_LIMIT_S = 10
READY = re.compile(r"^Omma is ready: (http://127\.0\.0\.1:\d+)$", re.MULTILINE)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@dataclass
class Running:
    """One `up` and what it has printed."""

    data_dir: Path
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        self.output = self.data_dir / "console.txt"
        servers = {"DATABASE_URL", "REDIS_URL", "BUS_URL", "OMMA_DATA_DIR", "DJANGO_SETTINGS_MODULE"}
        environment = {name: value for name, value in os.environ.items() if name not in servers}
        command = [sys.executable, "manage.py", "up", "--no-demo", "--port", "0"]
        with self.output.open("wb") as console:
            self.process = subprocess.Popen(
                [*command, "--data-dir", str(self.data_dir), *self.arguments],
                cwd=ROOT,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=environment | self.environment,
            )

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def address(self) -> str:
        """Return where it answers, once it says so."""
        wait_for(lambda: READY.search(self.said()) or self.process.poll() is not None, 120)
        found = READY.search(self.said())
        assert found, self.said()
        return found[1]

    def stop(self) -> float:
        """Send TERM and return how long it took."""
        begun = time.monotonic()
        self.process.terminate()
        self.process.wait(STOP_LIMIT_S + 10)
        return time.monotonic() - begun

    def member(self, words: str) -> psutil.Process | None:
        """Return the child whose command line holds these words."""
        for child in psutil.Process(self.process.pid).children():
            try:
                if words in " ".join(child.cmdline()) and child.status() != psutil.STATUS_ZOMBIE:
                    return child
            except psutil.Error:
                continue
        return None


def wait_for(condition: object, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.05)


@pytest.fixture
def running() -> Iterator[Running]:
    with tempfile.TemporaryDirectory(prefix="omma-up-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        up = Running(Path(name))
        up.start()
        yield up
        if up.process.poll() is None:
            up.process.kill()
            up.process.wait()
        assert wait_until_gone(up.data_dir) == []


def test_the_whole_life_of_a_tree(running: Running) -> None:
    address = running.address()
    password = re.search(r"Administrator: admin, password: (\S+) \(shown once\)", running.said())
    assert password, running.said()

    # A browser can log in, with the password that was printed.
    with httpx.Client(base_url=address, follow_redirects=False, timeout=20) as browser:
        browser.get("/accounts/login/")
        token = next(value for name, value in browser.cookies.items() if name.startswith("omma_csrf"))
        form = {"username": "admin", "password": password[1], "csrfmiddlewaretoken": token}
        answer = browser.post("/accounts/login/", data=form, headers={"Referer": address})
        assert (answer.status_code, answer.headers.get("location")) == (302, "/app/")

    # A second one on the same folder is refused before it starts anything.
    refused = subprocess.run(
        [sys.executable, "manage.py", "up", "--data-dir", str(running.data_dir), "--port", "0"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert f"another Omma (process {running.process.pid})" in refused.stdout

    # A member that dies comes back.
    killed = running.member("-Q default")
    assert killed is not None
    killed.kill()
    wait_for(lambda: (found := running.member("-Q default")) and found.pid != killed.pid, 30)
    assert "[default] was killed by SIGKILL, starting it again" in running.said()

    # TERM stops all of it in time, and leaves nothing.
    assert running.stop() < STOP_LIMIT_S
    assert running.process.returncode == 0
    assert wait_until_gone(running.data_dir, 1) == []
    assert len(READY.findall(running.said())) == 1

    # The next start resumes: no second administrator.
    running.start()
    running.address()
    assert "Administrator:" not in running.said()

    # Killed outright, it takes everything with it.
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()
    assert wait_until_gone(running.data_dir) == []


def test_a_stop_while_it_starts_leaves_nothing(running: Running) -> None:
    wait_for(lambda: "Preparing the database" in running.said(), 60)

    assert running.stop() < STOP_LIMIT_S
    assert living_in(running.data_dir) == []
    assert not READY.search(running.said())
