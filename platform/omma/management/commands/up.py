"""Run all of Omma: the embedded servers, the web, the workers and beat."""

import os
import sys
from argparse import ArgumentParser, Namespace
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from django.core.management.base import BaseCommand

from omma.tree.options import ROOT, add_arguments, read_options, to_arguments


class Command(BaseCommand):
    help = "Run all of Omma as one tree of processes, until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Become the tree: it watches the others for as long as Omma runs, and needs no Django for that."""
        if not is_installed():
            os.environ["PYTHONPATH"] = os.pathsep.join((str(ROOT), str(ROOT / "platform")))
        found = read_options(Namespace(**options))
        os.execv(sys.executable, [sys.executable, "-m", "omma.tree", *to_arguments(found)])  # noqa: S606


def is_installed() -> bool:
    """Tell whether other interpreters find the project by themselves, or this is a bare checkout."""
    try:
        distribution("omma")
    except PackageNotFoundError:
        return False
    return True
