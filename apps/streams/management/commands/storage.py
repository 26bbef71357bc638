"""Compare what is indexed with what is on disk, from the command line."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from apps.accounts.access import system_actor
from apps.core.exceptions import OmmaError
from apps.streams.models import Volume
from apps.streams.storage.check import CheckOptions, check_storage
from apps.streams.storage.lost_cameras import add_cameras_of
from apps.streams.storage.report import QUARANTINABLE, Kind, VolumeReport
from apps.streams.volume_adoption import adopt_volume
from apps.streams.volume_states import check_volumes
from apps.streams.volumes import is_folder

DIFFERENT = 1
NOT_CHECKED = 2


class Command(BaseCommand):
    help = (
        "storage check: compare index and disk of each volume. Changes nothing without --fix. "
        "Exits with 1 when something differs, with 2 when a volume could not be checked. "
        "storage list: the volumes and their state. "
        "storage adopt: take over a volume of another installation, or of a lost database."
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

        commands.add_parser("list", help="show the volumes and their state")
        adopt = commands.add_parser(
            "adopt", help="take over a volume that is foreign; deletes nothing, and `check --fix` indexes it"
        )
        adopt.add_argument("volume", metavar="NAME_OR_FOLDER")
        adopt.add_argument(
            "--cameras",
            action="store_true",
            help="also add a camera, switched off, for each stream in it that the database does not know",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        match options["command"]:
            case "list":
                self._list()
            case "adopt":
                self._adopt(options["volume"], with_cameras=options["cameras"])
            case _:
                self._check(options)

    def _list(self) -> None:
        check_volumes()
        for volume in Volume.objects.order_by("tier", "name"):
            free = "" if volume.free_bytes is None else f", {filesizeformat(volume.free_bytes)} free"
            detail = f" ({volume.state_detail})" if volume.state_detail else ""
            self.stdout.write(f"{volume.name}: {volume.tier}, {volume.state}{detail}{free}, {volume.root}")

    def _adopt(self, wanted: str, *, with_cameras: bool) -> None:
        known = Volume.objects.filter(name=wanted).first()
        root = Path(known.root if known else wanted)
        if not root.is_absolute():
            raise CommandError(f"There is no volume {wanted!r}, and it is no absolute path.")
        try:
            volume = adopt_volume(actor=system_actor(), root=root, name=known.name if known else "")
            added = add_cameras_of(volume) if with_cameras else 0
        except OmmaError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{volume.name} is {volume.state}; {added} cameras added")
        self.stdout.write("`manage.py storage check` shows what is in it, and --fix indexes it")

    def _check(self, options: dict[str, Any]) -> None:
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
    return [one for one in volumes if one.name in names or (not names and is_folder(one))]
