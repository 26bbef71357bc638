"""`manage.py model import FILE` and `model pull NAME`: take models into the catalogue."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.catalog.models import ModelVersion
from apps.catalog.pulling import pull_model
from apps.catalog.services import NewModel, import_model
from apps.core.exceptions import OmmaError

_CHUNK_BYTES = 1 << 20


class Command(BaseCommand):
    help = "Import AI models from files, or pull them by name from OMMA_MODELS_URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        importing = verbs.add_parser("import", help="import a file; it is inspected and tried first")
        importing.add_argument("file", type=Path)
        importing.add_argument("--name", default="", help="what it is called (default: the file's name)")
        importing.add_argument("--account", type=UUID, help="whose it is (default: every account's)")
        importing.add_argument("--licence", default="")
        importing.add_argument("--labels", nargs="*", default=(), help="for a file that names no classes")
        pulling = verbs.add_parser("pull", help="fetch a file by name from OMMA_MODELS_URL")
        pulling.add_argument("name", help="such as shapes.onnx")
        pulling.add_argument(
            "--sha256", default="", help="what the file must be (default: by SHA256SUMS there)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = self._pull(options) if options["verb"] == "pull" else self._import(options)
        except OmmaError as exc:
            raise CommandError(exc.message) from exc
        self.stdout.write(f"{version.model.name} version {version.version}: {len(version.labels)} labels")

    def _pull(self, options: dict[str, Any]) -> ModelVersion:
        return pull_model(actor=system_actor(), name=options["name"], sha256=options["sha256"])

    def _import(self, options: dict[str, Any]) -> ModelVersion:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file at {path}.")
        account: UUID | None = options["account"]
        if account is not None and not Account.objects.filter(pk=account).exists():
            raise CommandError(f"There is no account {account}.")
        wanted = NewModel(
            name=options["name"] or path.stem,
            account_id=account,
            licence=options["licence"],
            origin=path.name[:300],
            labels=tuple(options["labels"]),
        )
        return import_model(actor=system_actor(), wanted=wanted, chunks=_chunks(path))


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
