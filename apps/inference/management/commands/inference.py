"""Analytics without Celery: the same supervisor, in a process of its own."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from apps.inference.hosting import inference_supervisor


class Command(BaseCommand):
    help = "Run what analytics should run, until it is told to stop. Needs the database and the bus."
    requires_system_checks = []  # they load the pages and the API, a third of this process's memory

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", default="", help="tells workers on one machine apart")
        parser.add_argument("--slots", type=int, default=256, help="how many analytics at once")

    def handle(self, *args: Any, **options: Any) -> None:
        supervisor = inference_supervisor(options["name"], slots=options["slots"])
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        supervisor.on_failure = stopping.set
        supervisor.start()
        stopping.wait()
        supervisor.stop()
