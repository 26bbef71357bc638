"""Compare what is indexed with what is on disk, from the command line."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from apps.core.exceptions import OmmaError
from apps.streams.models import Volume
from apps.streams.storage.check import CheckOptions, check_storage
from apps.streams.storage.report import QUARANTINABLE, Kind, VolumeReport

DIFFERENT = 1
NOT_CHECKED = 2


class Command(BaseCommand):
    help = (
        "storage check: compare index and disk of each volume. Changes nothing without --fix. "
        "Exits with 1 when something differs, with 2 when a volume could not be checked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        check = commands.add_parser("check", help="compare index and disk")
        check.add_argument("--volume", action="append", default=[], metavar="NAME", help="only this one")
        check.add_argument("--hashes", action="store_true", help="read every file and compare its hash")
        check.add_argument("--fix", action="store_true", help="bring the index in line; deletes no file")
        check.add_argument(
            "--quarantine",
            nargs="+",
            default=[],
            choices=[kind.value for kind in QUARANTINABLE],
            help="with --fix: move such files to the volume's quarantine folder",
        )
        check.add_argument(
            "--accept-loss", action="store_true", help="with --fix: believe that most files are gone"
        )
        check.add_argument("--examples", type=int, default=10, metavar="N", help="paths shown of each kind")
        check.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if (options["quarantine"] or options["accept_loss"]) and not options["fix"]:
            raise CommandError("--quarantine and --accept-loss change something: they need --fix.")
        wanted = CheckOptions(
            with_hashes=options["hashes"],
            fix=options["fix"],
            quarantine=frozenset(Kind(one) for one in options["quarantine"]),
            accepts_loss=options["accept_loss"],
            max_examples=max(0, options["examples"]),
        )
        try:
            reports = check_storage(_volumes(options["volume"]), wanted)
        except OmmaError as error:
            raise CommandError(error.message, returncode=NOT_CHECKED) from error
        if options["json"]:
            self.stdout.write(json.dumps({"volumes": [one.as_json() for one in reports]}, indent=2))
        else:
            for report in reports:
                self._print(report)
        if not all(report.was_checked for report in reports):
            raise SystemExit(NOT_CHECKED)
        if any(report.differs for report in reports):
            raise SystemExit(DIFFERENT)

    def _print(self, report: VolumeReport) -> None:
        self.stdout.write(f"Volume {report.name}")
        if report.was_checked:
            self.stdout.write(
                f"  rows {report.rows} ({filesizeformat(report.row_bytes)}), "
                f"files {report.files} ({filesizeformat(report.file_bytes)}), "
                f"being written {report.young_files}, in quarantine {report.quarantined_files}"
            )
        for kind, one in sorted(report.tallies.items()):
            fixed = f", {one.fixed} fixed" if one.fixed else ""
            self.stdout.write(f"  {kind.value}: {one.count} ({filesizeformat(one.size_bytes)}){fixed}")
            for path in one.examples:
                self.stdout.write(f"    {path}")
        if report.refusal:
            self.stdout.write(f"  refused: {report.refusal}")
        elif not report.differs:
            self.stdout.write("  index and disk agree")


def _volumes(names: list[str]) -> list[Volume]:
    volumes = list(Volume.objects.order_by("name"))
    unknown = sorted(set(names) - {volume.name for volume in volumes})
    if unknown:
        raise CommandError(f"There is no volume {unknown[0]!r}.", returncode=NOT_CHECKED)
    return [volume for volume in volumes if not names or volume.name in names]
