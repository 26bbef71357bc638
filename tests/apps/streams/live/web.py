"""The real web server as a child process, on the test's own database."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psutil
from django.conf import settings
from django.db import connection

from tests.conftest import ROOT


@dataclass
class Web:
    """`python -m omma.web` on a port of loopback."""

    port: int
    process: subprocess.Popen[bytes]

    def address(self, path: str, scheme: str = "http") -> str:
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def memory_bytes(self) -> int:
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start_web() -> Web:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    database = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "omma.settings.test",
        "DATABASE_URL": urlunsplit(database),
        "OMMA_PORT": str(port),
    }
    command = [sys.executable, "-m", "omma.web", "--port", str(port)]
    web = Web(port, subprocess.Popen(command, cwd=ROOT, env=environment))
    deadline = time.monotonic() + 30
    while not _listens(port):
        assert web.process.poll() is None, "the web server ended"
        assert time.monotonic() < deadline, "the web server does not answer"
        time.sleep(0.1)
    return web


def _listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0
