"""`manage.py dialect export-sqlite FILE`: recordings as SpectraX's own database file."""

import argparse
import sqlite3
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.dialects.boxes import Box
from apps.dialects.spectrax.clips import catch_up_all
from apps.dialects.spectrax.export import export_sqlite


class Command(BaseCommand):
    help = "Hand recordings to clients of other systems."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export-sqlite", help="write SpectraX's database, recordings.db")
        export.add_argument("file", type=Path)
        export.add_argument("--account", help="name of the account (default: the oldest)")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.order_by("created_at", "id")
        if options["account"]:
            accounts = accounts.filter(name=options["account"])
        account = accounts.first()
        if account is None:
            raise CommandError("account: there is none")
        catch_up_all()
        box = Box(account, system_actor("command line"), {})
        try:
            count = export_sqlite(box, options["file"])
        except (OSError, sqlite3.Error) as error:
            raise CommandError(f"{options['file']}: {error}") from error
        self.stdout.write(f"{count} recordings of {account.name} written to {options['file']}")
