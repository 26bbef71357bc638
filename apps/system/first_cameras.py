"""The volume and the cameras that a fresh Omma begins with."""

from pathlib import Path
from urllib.parse import urlsplit

from apps.accounts.actors import system_actor
from apps.accounts.models import Account
from apps.cameras.addresses import address_as_kept, guess_driver
from apps.cameras.logins import whole_address
from apps.cameras.models import Camera, Driver
from apps.cameras.services import add_camera
from apps.core.exceptions import InvalidInputError, OmmaError
from apps.streams.volumes import ensure_default_volume
from omma_engine.redaction import hide_parameters, redact

DEMO = {"Front yard": "synthetic:yard", "Living room": "synthetic:room"}
ACTOR_NAME = "command line"
NAME_LENGTH = 120


def ensure_volume() -> None:
    """Make the default volume in the data folder."""
    ensure_default_volume()


def add_given(account: Account, addresses: list[str]) -> list[str]:
    """Add the cameras of the command line, which are trusted; one that is there already stays as it is.

    Raise `InvalidInputError`, which says for each address that cannot be added why; the others are kept.
    """
    names, problems = [], []
    for address in addresses:
        try:
            if not _is_there(account, address):
                names.append(_add(account, _name_for(address), address))
        except OmmaError as error:
            problems.append(f"{redact(address)}: {error.message}")
    if problems:
        raise InvalidInputError("\n".join(problems), field="address")
    return names


def add_virtual(account: Account, kinds: list[str]) -> list[str]:
    """Add a synthetic camera of each kind."""
    return add_given(account, [f"synthetic:{kind}" for kind in kinds])


def add_demo_where_empty(account: Account) -> list[str]:
    """Add the demo cameras when there is no camera at all."""
    if Camera.objects.exists():
        return []
    return [_add(account, name, address) for name, address in DEMO.items()]


def _add(account: Account, name: str, address: str) -> str:
    camera = add_camera(
        actor=system_actor(ACTOR_NAME), account=account, name=name, address=address, is_trusted=True
    )
    return camera.name


def _is_there(account: Account, address: str) -> bool:
    kept = address_as_kept(address)
    alike = Camera.objects.filter(account=account, address__in=[kept, hide_parameters(kept)[0]])
    return any(whole_address(camera.address, camera.secret) == kept for camera in alike)


def _name_for(address: str) -> str:
    if guess_driver(address) in {Driver.FILE, Driver.V4L2}:
        return Path(address_as_kept(address)).stem[:NAME_LENGTH]
    parts = urlsplit(address)
    if parts.scheme == "synthetic":
        return f"Virtual {parts.path}"
    return redact(parts.hostname or address)[:NAME_LENGTH]
