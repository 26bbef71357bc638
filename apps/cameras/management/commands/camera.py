"""`manage.py camera add NAME URL` and `camera probe URL`: addresses given here are the host owner's."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.cameras.probing import probe_address
from apps.cameras.services import add_camera
from apps.core.exceptions import OmmaError


class Command(BaseCommand):
    help = "Add a camera, or look through one."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        add = verbs.add_parser("add", help="add a camera")
        add.add_argument("name")
        add.add_argument("url")
        add.add_argument("--driver")
        add.add_argument("--account", help="name of the account (default: the oldest)")
        probe = verbs.add_parser("probe", help="open an address once and say what is there")
        probe.add_argument("url")
        probe.add_argument("--driver")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["verb"] == "add":
                self._add(options)
            else:
                self._probe(options)
        except OmmaError as error:
            raise CommandError(f"{error.field or 'camera'}: {error.message}") from error

    def _add(self, options: dict[str, Any]) -> None:
        accounts = Account.objects.order_by("created_at", "id")
        if options["account"]:
            accounts = accounts.filter(name=options["account"])
        account = accounts.first()
        if account is None:
            raise CommandError("account: there is none; run `manage.py up` once")
        camera = add_camera(
            actor=system_actor("command line"),
            account=account,
            name=options["name"],
            address=options["url"],
            driver=options["driver"],
            is_trusted=True,
        )
        self.stdout.write(f"Added camera {camera.number}: {camera.name}")

    def _probe(self, options: dict[str, Any]) -> None:
        seen = probe_address(address=options["url"], driver=options["driver"], is_trusted=True)
        sound = "with sound" if seen.has_audio else "without sound"
        self.stdout.write(
            f"{seen.driver}: {seen.codec} {seen.width}x{seen.height} {seen.frame_rate:g} fps, {sound}"
        )
