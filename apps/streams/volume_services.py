"""What operators do with volumes: add, change, remove. They belong to the site: for its superusers."""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.core import audit, outbox
from apps.core.exceptions import ConflictError, InvalidInputError, OmmaError, UnavailableError
from apps.core.leases import nudge
from apps.core.models import LeaseKind
from apps.streams.models import Stream, Transfer, Volume, VolumeKind, VolumeTier
from apps.streams.state_news import publish_stream
from apps.streams.stores.base import Store
from apps.streams.stores.choosing import sealed_keys, store_of
from apps.streams.volume_checks import check_limits, check_room, checked_bucket, checked_folder
from apps.streams.volume_states import look_at, note
from apps.streams.volumes import Identity, identity_in, installation_id
from omma_engine.ids import uuid7

_CHANGEABLE = ("name", "root", "max_bytes", "min_free_bytes")


def add_volume(*, actor: Actor, name: str, root: str, kind: str = VolumeKind.FOLDER, **fields: Any) -> Volume:
    """Add a volume of this machine: an empty folder, or one that has been a volume of this installation.

    `fields`: `tier`, `max_bytes`, `min_free_bytes`, `node_name`; of a bucket also `options`, `access_key` and
    `secret_key`.
    """
    require(actor, Action.MANAGE_CAMERAS, Resource(None))
    volume = _new_volume(name, root, kind, fields)
    check_limits(volume)
    store = store_of(volume)
    identity = _claimable_identity(volume, store)
    volume.id = identity.volume_id
    check_room(volume, store.room())
    with transaction.atomic():
        saved(volume, is_new=True)
        tell(actor, "volume.created", volume)
        on_disk(lambda: store.write_identity(identity), volume)
        nudge(LeaseKind.SOURCE.value)
    note(volume, look_at(volume))
    volume.refresh_from_db()
    return volume


def update_volume(*, actor: Actor, volume: Volume, changes: Mapping[str, Any]) -> Volume:
    """Change a volume's name, limits, or where it is: another folder must hold this very volume."""
    require(actor, Action.MANAGE_CAMERAS, Resource(None))
    with transaction.atomic():
        volume = Volume.objects.select_for_update(of=("self",)).get(pk=volume.pk)
        for field in changes.keys() & set(_CHANGEABLE):
            value = changes[field]
            setattr(volume, field, value.strip() if isinstance(value, str) else value)
        check_limits(volume)
        if "root" in changes:
            _check_moved(volume)
        if changes.keys() & {"max_bytes", "min_free_bytes"} and look_at(volume).total_bytes is not None:
            check_room(volume, store_of(volume).room())
        saved(volume, is_new=False)
        tell(actor, "volume.updated", volume, {"changed": sorted(changes)})
        nudge(LeaseKind.SOURCE.value)
    note(volume, look_at(volume))
    volume.refresh_from_db()
    return volume


@transaction.atomic
def remove_volume(*, actor: Actor, volume: Volume) -> None:
    """Forget a volume that holds no footage. Its folder stays as it is, and may be added again."""
    require(actor, Action.MANAGE_CAMERAS, Resource(None))
    volume = Volume.objects.select_for_update(of=("self",)).get(pk=volume.pk)
    if volume.is_default:
        raise ConflictError("The default volume cannot be removed.")
    busy = Transfer.objects.filter(source=volume) | Transfer.objects.filter(target=volume)
    if volume.segments.exists() or busy.exists():
        raise ConflictError("There is footage on this volume: let retention take it first.")
    tell(actor, "volume.deleted", volume)
    volume.delete()
    nudge(LeaseKind.SOURCE.value)


@transaction.atomic
def choose_volume(*, actor: Actor, stream: Stream, volume: Volume | None) -> Stream:
    """Say which volume a stream goes to, from its next segment on; none: the one with the most room."""
    require(actor, Action.MANAGE_CAMERAS, Resource(None))
    if volume is not None and volume.tier != VolumeTier.RECORDING:
        raise InvalidInputError("Cameras are not recorded to a volume of the archive.", field="volume")
    stream = Stream.objects.select_for_update(of=("self",)).select_related("camera").get(pk=stream.pk)
    stream.volume = volume
    stream.save(update_fields=["volume", "updated_at"])
    audit.record(
        actor.ref(),
        "stream.volume_chosen",
        subject_kind="stream",
        subject_id=stream.pk,
        subject_name=str(stream),
        account_id=stream.account_id,
        detail={"volume": None if volume is None else volume.name},
    )
    publish_stream(stream)
    nudge(LeaseKind.SOURCE.value)
    return stream


def _new_volume(name: str, root: str, kind: str, fields: Mapping[str, Any]) -> Volume:
    if kind not in VolumeKind.values:
        raise InvalidInputError(f"Expected one of {', '.join(VolumeKind.values)}.", field="kind")
    is_bucket = kind == VolumeKind.S3
    if is_bucket and fields.get("tier", VolumeTier.ARCHIVE) != VolumeTier.ARCHIVE:
        raise InvalidInputError("A bucket can only be a volume of the archive.", field="tier")
    for name_of_key in ("access_key", "secret_key"):
        if is_bucket and not fields.get(name_of_key):  # else its client would look for others' keys
            raise InvalidInputError("A bucket needs its keys.", field=name_of_key)
    here = socket.gethostname()
    if fields.get("node_name", "") not in {"", here}:
        raise InvalidInputError(f"Add a volume on its own machine; this one is {here}.", field="node_name")
    return Volume(
        id=uuid7(),
        name=name.strip(),
        kind=kind,
        root=checked_bucket(root) if is_bucket else checked_folder(root),
        tier=VolumeTier.ARCHIVE if is_bucket else fields.get("tier") or VolumeTier.RECORDING,
        options=dict(fields.get("options") or {}),
        secret=sealed_keys(fields.get("access_key", ""), fields.get("secret_key", "")),
        node_name=fields.get("node_name", ""),
        max_bytes=fields.get("max_bytes"),
        min_free_bytes=fields["min_free_bytes"] if fields.get("min_free_bytes") is not None else 1 << 30,
    )


def _claimable_identity(volume: Volume, store: Store) -> Identity:
    """Return the identity that the folder or bucket is to have, if it may be a volume of ours."""
    try:
        found = store.identity()
        is_empty = found is not None or store.is_empty()
    except (OSError, OmmaError) as error:
        words = error.message if isinstance(error, OmmaError) else str(error)
        raise InvalidInputError(f"It cannot be read: {words}"[:300], field="root") from error
    if not is_empty:
        raise InvalidInputError("There are other files in it. Give an empty folder.", field="root")
    if found is None:
        return Identity(volume.id, installation_id())
    known = Volume.objects.filter(id=found.volume_id).first()
    if known is not None:
        message = f"This is the volume {known.name}; change where that one is."
        raise ConflictError(message, field="root")
    if found.installation != installation_id():
        message = "This volume belongs to another installation. `manage.py storage adopt` takes it over."
        raise ConflictError(message, code="volume_foreign", field="root")
    return found


def _check_moved(volume: Volume) -> None:
    if volume.kind != VolumeKind.FOLDER:
        raise InvalidInputError("A bucket stays where it is.", field="root")
    volume.root = checked_folder(volume.root, besides=volume.id)
    found = identity_in(Path(volume.root))
    if found is None or found.volume_id != volume.id or not found.is_ours:
        raise InvalidInputError("This volume is not in that folder.", field="root")


def saved(volume: Volume, *, is_new: bool) -> Volume:
    """Save the row; a name or place that is taken is a conflict."""
    try:
        with transaction.atomic():
            volume.save(force_insert=is_new)
    except IntegrityError as error:
        field = "root" if "root" in str(error) else "name"
        raise ConflictError("There is such a volume already.", field=field) from error
    return volume


def on_disk(write: Callable[[], None], volume: Volume) -> None:
    """Write to a volume; what its disk refuses is told in words."""
    try:
        write()
    except OSError as error:
        raise UnavailableError(
            f"The volume {volume.name} cannot be written to: {error.strerror or error}"
        ) from error


def tell(actor: Actor, action: str, volume: Volume, detail: dict[str, object] | None = None) -> None:
    """Leave an audit entry and send the system's news."""
    audit.record(
        actor.ref(),
        action,
        subject_kind="volume",
        subject_id=volume.id,
        subject_name=volume.name,
        detail={"root": volume.root, **(detail or {})},
    )
    outbox.publish(
        "system.updated",
        subject_kind="volume",
        subject_id=volume.id,
        payload={"name": volume.name, "change": action},
    )
