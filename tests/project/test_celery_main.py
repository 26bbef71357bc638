"""Workers end soon: they hear TERM at once, and leave without tidying up the interpreter."""

import select
import socket
import subprocess
import sys
from collections.abc import Callable

from celery.signals import worker_shutting_down

from omma.celery import PromptEnd
from tests.conftest import ROOT


class Hub:
    """Kombu's loop, as far as the step uses it."""

    def add_reader(self, ear: socket.socket, callback: Callable[[], None]) -> None:
        self.ear, self.callback = ear, callback

    def is_rung(self) -> bool:
        return bool(select.select([self.ear], [], [], 0)[0])


def test_the_loop_is_woken_by_the_signal() -> None:
    hub, step = Hub(), PromptEnd(None)
    step.register_with_event_loop(None, hub)
    assert not hub.is_rung()

    worker_shutting_down.send(sender="default@here", sig="SIGTERM", how="Warm", exitcode=0)

    assert hub.is_rung()
    hub.callback()
    assert not hub.is_rung()
    step.stop(None)
    worker_shutting_down.send(sender="default@here", sig="SIGTERM", how="Warm", exitcode=0)


def test_the_status_is_celerys() -> None:
    def status_of(*arguments: str) -> int:
        command = [sys.executable, "-m", "omma.celery_main", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False).returncode

    assert status_of("--version") == 0
    assert status_of("--no-such-option") == 2
