"""A capture worker in a process of its own, on the test's database."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[3]


class WorkerProcess:
    """`manage.py capture --name NAME`, ended when the block is left."""

    def __init__(self, name: str, data_dir: Path) -> None:
        self._name = name
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "omma.settings.test",
            "DATABASE_URL": settings.DATABASE_URL.replace("/omma?", f"/{connection.settings_dict['NAME']}?"),
            "BUS_URL": settings.BUS_URL,
            "OMMA_DATA_DIR": str(data_dir),
            "OMMA_SECRETS_DIR": str(settings.OMMA_SECRETS_DIR),
        }

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "capture", "--name", self._name], cwd=ROOT, env=self._environment
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=12)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait(timeout=5)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)
