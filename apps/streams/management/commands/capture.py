"""Capture without Celery: the same supervisor, in a process of its own."""

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand

from apps.streams.capture import capture_supervisor
from omma_engine.memory import slim, use_one_arena

_SETTLED_S = 10.0
"""After so long, all that is needed only once has been."""


class Command(BaseCommand):
    help = "Record what should be recorded, until it is told to stop. Needs the database and no broker."
    requires_system_checks = []  # they load the pages and the API, a third of this process's memory

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", default="", help="tells workers on one machine apart")
        parser.add_argument("--slots", type=int, default=64, help="how many sources at once")
        parser.add_argument(
            "--label",
            action="append",
            type=_label,
            metavar="NAME=VALUE",
            help="take only cameras that ask for it; repeatable (default: OMMA_WORKER_LABELS)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        use_one_arena()
        labels = dict(options["label"]) if options["label"] else None
        supervisor = capture_supervisor(options["name"], slots=options["slots"], labels=labels)
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        supervisor.on_failure = stopping.set
        supervisor.start()
        if not stopping.wait(_SETTLED_S):
            slim()
            stopping.wait()
        supervisor.stop()


def _label(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value
