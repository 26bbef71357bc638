"""Notifications without Celery: the same sender, in a process of its own."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from apps.alerts.sender import Sender


class Command(BaseCommand):
    help = "Send the notifications that wait, until it is told to stop. Needs the database and no broker."
    requires_system_checks = []  # they load the pages and the API

    def handle(self, *args: Any, **options: Any) -> None:
        sender, stopping = Sender(), threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        sender.start()
        stopping.wait()
        sender.stop()
