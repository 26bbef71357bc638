"""Video files that were fetched for streams: they go with their cameras. Workers load this."""

from pathlib import Path

from django.conf import settings
from django.db import transaction

from apps.accounts.access import Actor
from apps.cameras.models import Camera, Driver

FOLDER = "luna"


def folder() -> Path:
    """Return where fetched videos lie."""
    return (Path(settings.OMMA_DATA_DIR) / "media" / FOLDER).resolve()


def discard(address: str) -> None:
    """Delete a fetched file once the transaction is through; other files stay."""
    if Path(address).parent == folder():
        transaction.on_commit(lambda: Path(address).unlink(missing_ok=True))


def forget_with(camera: Camera, actor: Actor) -> None:
    """Delete the file of a camera that is removed."""
    if camera.driver == Driver.FILE:
        discard(camera.address)
