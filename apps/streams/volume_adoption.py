"""Taking over a volume of another installation: one whose database is lost, or that was another machine's."""

from pathlib import Path
from uuid import UUID

from django.db import transaction

from apps.accounts.access import Action, Actor, Resource, require
from apps.core.exceptions import ConflictError, InvalidInputError
from apps.core.leases import nudge
from apps.core.models import LeaseKind
from apps.streams.models import Stream, Volume
from apps.streams.volume_checks import refuse_nested
from apps.streams.volume_services import on_disk, saved, tell
from apps.streams.volume_states import look_at, note
from apps.streams.volumes import Identity, identity_in, installation_id, write_identity


def adopt_volume(*, actor: Actor, root: Path, name: str = "") -> Volume:
    """Take over a folder that is another installation's volume, with all that is in it.

    Nothing in it is changed but the identity file, which names this installation from now on.
    """
    require(actor, Action.MANAGE_CAMERAS, Resource(None))
    found = identity_in(root)
    if found is None:
        raise InvalidInputError("There is no volume in this folder.", field="root")
    with transaction.atomic():
        volume = _adopted(found.volume_id, root.absolute(), name)
        on_disk(lambda: write_identity(root, Identity(volume.id, installation_id())), volume)
        was = None if found.installation is None else str(found.installation)
        tell(actor, "volume.adopted", volume, {"installation_before": was})
        nudge(LeaseKind.SOURCE.value)
    note(volume, look_at(volume))
    volume.refresh_from_db()
    return volume


def _adopted(volume_id: UUID, root: Path, name: str) -> Volume:
    """Return the row of an adopted volume, which is known by the id that its folder has."""
    known = Volume.objects.select_for_update(of=("self",)).filter(id=volume_id).first()
    placeholder = Volume.objects.select_for_update(of=("self",)).filter(root=str(root)).first()
    if known is not None:
        if placeholder is not None and placeholder.id != known.id:
            raise ConflictError(f"The folder is the volume {placeholder.name}; remove that one first.")
        known.root = str(root)
        return saved(known, is_new=False)
    if placeholder is None:
        refuse_nested(root.resolve(), None)
        return saved(
            Volume(id=volume_id, name=name or f"adopted {root.name}"[:120], root=str(root)), is_new=True
        )
    if placeholder.segments.exists():
        raise ConflictError(f"The volume {placeholder.name} has footage of its own, on another disk.")
    values = {
        field.attname: getattr(placeholder, field.attname)
        for field in Volume._meta.concrete_fields
        if field.attname not in {"id", "created_at", "updated_at"}
    }
    chosen = list(Stream.objects.filter(volume=placeholder).values_list("id", flat=True))
    placeholder.delete()
    volume = saved(Volume(id=volume_id, **values), is_new=True)
    Stream.objects.filter(id__in=chosen).update(volume=volume)
    return volume
