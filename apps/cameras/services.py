"""Adding, changing and removing cameras: a verb is one transaction, one audit entry, one piece of news."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.cameras.addresses import CameraAddress, read_camera_address
from apps.cameras.logins import login_of, seal_login, whole_address
from apps.cameras.models import IMPORTED, Camera, Driver
from apps.cameras.options import check_options, default_options
from apps.cameras.provisioning import prepare_removal, provision
from apps.core import audit, outbox
from apps.core.exceptions import InvalidInputError, NotVisibleError
from apps.core.labels import refuse_invisible
from apps.core.numbering import next_number
from omma_engine.redaction import hide_parameters, redact

_PLAIN_FIELDS = frozenset({"name", "is_enabled", "is_on_wall"})
_ADDRESS_FIELDS = frozenset({"address", "driver", "username", "password"})


@transaction.atomic
def add_camera(
    *,
    actor: Actor,
    account: Account,
    name: str,
    address: str,
    driver: str | None = None,
    options: Mapping[str, Any] | None = None,
    username: str = "",
    password: str = "",
    is_trusted: bool = False,
    is_on_wall: bool = True,
    is_armed: bool = True,
    may_be_away: bool = False,
) -> Camera:
    """Add a camera, which is live and armed at once. `is_trusted`: the host's owner gave the address.

    Without `is_armed` it gets neither the usual analytics nor a rule: the caller says what runs on it. With
    `may_be_away` an address is taken that leads nowhere yet.

    1. Check the right, the address and the options. 2. Write the row. 3. Let the apps above provision it.
    """
    require(actor, Action.MANAGE_CAMERAS, Resource(account.pk))
    read = read_camera_address(
        address,
        driver=driver,
        username=username,
        password=password,
        is_trusted=is_trusted,
        may_be_away=may_be_away,
    )
    camera = Camera(
        account=account,
        number=next_number(account, "camera"),
        name=name.strip(),
        options=check_options(read.driver, {**default_options(read.driver), **(options or {})}),
        is_on_wall=is_on_wall,
    )
    _set_address(camera, read)
    _save(camera, is_new=True)
    provision(camera, actor, is_armed=is_armed)
    _tell(actor, "camera.created", camera, {"driver": camera.driver})
    return camera


@transaction.atomic
def update_camera(
    *, actor: Actor, camera: Camera, changes: Mapping[str, Any], may_be_away: bool = False
) -> Camera:
    """Change a camera. A new address drops the trust in the old one; a login that is not given stays."""
    camera = _locked(camera)
    require(actor, Action.MANAGE_CAMERAS, _resource(camera))
    for field in _PLAIN_FIELDS & changes.keys():
        value = changes[field]
        setattr(camera, field, value.strip() if isinstance(value, str) else value)
    if _ADDRESS_FIELDS & changes.keys() and not camera.is_imported:  # nothing opens that one
        _change_address(camera, changes, may_be_away=may_be_away)
    if "options" in changes or "driver" in changes:
        camera.options = check_options(Driver(camera.driver), changes.get("options", camera.options))
    _save(camera, is_new=False)
    _tell(actor, "camera.updated", camera, {"changed": sorted(changes)})
    return camera


@transaction.atomic
def add_imported_camera(*, actor: Actor, account: Account, name: str, origin: str) -> Camera:
    """Add the camera of a file's footage, not on the wall; the caller gives it stream and footage."""
    require(actor, Action.MANAGE_CAMERAS, Resource(account.pk))
    camera = Camera(
        account=account,
        number=next_number(account, "camera"),
        name=name.strip(),
        driver=Driver.FILE,
        address=f"{IMPORTED}{origin}"[:1000],
        is_on_wall=False,
    )
    _save(camera, is_new=True)
    _tell(actor, "camera.created", camera, {"driver": camera.driver, "origin": origin})
    return camera


@transaction.atomic
def delete_camera(*, actor: Actor, camera: Camera) -> None:
    """Remove a camera with everything under it; its files follow as soon as nothing writes there."""
    camera = _locked(camera)
    require(actor, Action.MANAGE_CAMERAS, _resource(camera))
    prepare_removal(camera, actor)
    _tell(actor, "camera.deleted", camera, {})
    camera.delete()


def _locked(camera: Camera) -> Camera:
    """Lock the row and return it as it is now; raise `NotVisibleError` when it was removed meanwhile."""
    rows = Camera.objects.select_for_update(of=("self",)).select_related("account")
    try:
        return rows.get(pk=camera.pk)
    except Camera.DoesNotExist as error:
        raise NotVisibleError from error


def _change_address(camera: Camera, changes: Mapping[str, Any], *, may_be_away: bool) -> None:
    username, password = login_of(camera)
    address = changes.get("address", camera.address)
    kept = whole_address(camera.address, camera.secret)
    if address in {camera.address, redact(camera.address)}:  # as it was shown: its secrets stay
        address = kept
    is_same = address == kept
    read = read_camera_address(
        address,
        driver=changes.get("driver") or (camera.driver if is_same else None),
        username=changes.get("username", username if is_same else ""),
        password=changes.get("password", password if is_same else ""),
        trusted_origin=camera.trusted_origin if is_same else "",
        may_be_away=may_be_away,
    )
    _set_address(camera, read)


def _set_address(camera: Camera, read: CameraAddress) -> None:
    camera.driver = read.driver.value
    hidden: list[str] = []
    camera.address = read.address
    if "://" in read.address:  # a network's; paths are not secret, and scenes have none
        camera.address, hidden = hide_parameters(read.address)
    camera.trusted_origin = read.trusted_origin
    camera.secret = seal_login(read.username, read.password, hidden)


def _save(camera: Camera, *, is_new: bool) -> None:
    refuse_invisible(camera.name, field="name")
    try:
        camera.full_clean(exclude=["account", "secret"], validate_unique=False)
    except ValidationError as error:
        message = "; ".join(f"{field}: {texts[0]}" for field, texts in error.message_dict.items())
        raise InvalidInputError(message, fields=error.message_dict) from error
    camera.save(force_insert=is_new)


def _tell(actor: Actor, kind: str, camera: Camera, detail: dict[str, object]) -> None:
    audit.record(
        actor.ref(),
        kind,
        subject_kind="camera",
        subject_id=camera.pk,
        subject_name=camera.name,
        account_id=camera.account_id,
        detail=detail,
    )
    outbox.publish(
        kind,
        subject_kind="camera",
        subject_id=camera.pk,
        account_id=camera.account_id,
        camera_ids=[camera.pk],
    )


def _resource(camera: Camera) -> Resource:
    return Resource(camera.account_id, frozenset({camera.pk}))
