"""Run all of Omma: the embedded servers, the web, the workers and beat."""

import os
import sys
from argparse import ArgumentParser, Namespace
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from django.core.management.base import BaseCommand

from omma.tree.options import ROOT, add_arguments, cameras_in_environment, read_options, to_arguments


class Command(BaseCommand):
    help = "Run all of Omma as one tree of processes, until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Become the tree: it watches the others for as long as Omma runs, and needs no Django for that."""
        found = read_options(Namespace(**options))
        environment = cameras_in_environment(os.environ, found.cameras)
        if not is_installed():
            environment["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "platform")))
        command = [sys.executable, "-m", "omma.tree", *to_arguments(found)]
        os.execve(sys.executable, command, environment)  # noqa: S606


def is_installed() -> bool:
    """Tell whether other interpreters find the project by themselves, or this is a bare checkout."""
    try:
        distribution("omma")
    except PackageNotFoundError:
        return False
    return True
