"""`manage.py virtual list`: the synthetic cameras that `up --virtual KIND` adds."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from omma_engine.sources.scene_options import VARIANTS


class Command(BaseCommand):
    help = "List the kinds of synthetic cameras."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_subparsers(dest="verb", required=True).add_parser("list", help="list the kinds")

    def handle(self, *args: Any, **options: Any) -> None:
        for kind in VARIANTS:
            self.stdout.write(kind)
