"""Bring the database and the data folder to where Omma can run; repeatable."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.core.exceptions import OmmaError
from apps.system import first_cameras, preparing

Result = TypeVar("Result")


class Command(BaseCommand):
    help = "Migrate, make the first administrator and the default volume, collect static files, add cameras."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--camera", action="append", default=[], metavar="ADDRESS", help="add a camera")
        parser.add_argument(
            "--virtual", action="append", default=[], metavar="KIND", help="add a synthetic one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the steps in order, saying how long each took."""
        preparing.ensure_signing_key()
        with preparing.one_at_a_time():
            self._step("Preparing the database", preparing.bring_schema_up_to_date)
            account = preparing.ensure_account()
            preparing.ensure_administrator(account, settings.OMMA_ADMIN_PASSWORD, tell=self._tell_password)
            self._step("Collecting static files", preparing.collect_static_files)
            first_cameras.ensure_volume()
            self._add_cameras([*options["camera"], *settings.OMMA_CAMERAS], options["virtual"])

    def _tell_password(self, password: str) -> None:
        self.stdout.write(f"Administrator: {preparing.ADMINISTRATOR}, password: {password} (shown once)")
        self.stdout.flush()

    def _add_cameras(self, addresses: list[str], virtual: list[str]) -> None:
        account = preparing.ensure_account()
        try:
            names = first_cameras.add_given(account, addresses)
            names += first_cameras.add_virtual(account, virtual)
            if settings.OMMA_DEMO:
                names += first_cameras.add_demo_where_empty(account)
        except OmmaError as error:
            raise CommandError(error.message) from error
        if names:
            self.stdout.write(f"Added cameras: {', '.join(names)}")

    def _step(self, text: str, run: Callable[[], Result]) -> Result:
        begun_s = time.monotonic()
        self.stdout.write(f"{text} …")
        self.stdout.flush()
        result = run()
        self.stdout.write(f"{text}: {time.monotonic() - begun_s:.1f} s")
        return result
