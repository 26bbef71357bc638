"""Volumes as pages show them: state, room and quota in words."""

from dataclasses import dataclass
from uuid import UUID

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.streams.models import Volume, VolumeState, VolumeTier
from apps.streams.selectors import used_bytes_by_volume
from apps.system.selectors import volume_rows

_ADVICE = {
    VolumeState.FULL: gettext_lazy("Retention makes room; a quota or shorter keeping helps."),
    VolumeState.READ_ONLY: gettext_lazy("Nothing can be written: look at the disk and its mount."),
    VolumeState.MISSING: gettext_lazy("It is not where it was. Nothing is deleted; connect it again."),
    VolumeState.FOREIGN: gettext_lazy("Something else is in its place. Nothing is deleted or written."),
}


@dataclass(frozen=True, slots=True)
class VolumeLine:
    """A volume and how full it is."""

    id: UUID
    name: str
    root: str
    is_ok: bool
    is_archive: bool
    is_default: bool
    state_words: str
    detail: str
    advice: str
    used_words: str
    room_words: str
    percent: int | None


def volume_lines() -> list[VolumeLine]:
    """Return every volume, by name."""
    used = used_bytes_by_volume()
    return [_line(volume, used.get(volume.id, 0)) for volume in volume_rows()]


def _line(volume: Volume, used: int) -> VolumeLine:
    limit = _limit(volume, used)
    words = str(filesizeformat(used))
    if volume.max_bytes:
        words = _("%(used)s of %(limit)s") % {"used": words, "limit": filesizeformat(volume.max_bytes)}
    state = VolumeState(volume.state)
    free = volume.free_bytes
    return VolumeLine(
        id=volume.pk,
        name=volume.name,
        root=volume.root,
        is_ok=state is VolumeState.READY,
        is_archive=volume.tier == VolumeTier.ARCHIVE,
        is_default=volume.is_default,
        state_words=volume.get_state_display().lower(),
        detail=volume.state_detail,
        advice=str(_ADVICE.get(state, "")),
        used_words=words,
        room_words="" if free is None else _("%(free)s free") % {"free": filesizeformat(free)},
        percent=min(100, round(100 * used / limit)) if limit else None,
    )


def _limit(volume: Volume, used: int) -> int:
    """Return how much footage can be on it: its quota, or what is on it and what is free."""
    if volume.max_bytes:
        return volume.max_bytes
    return used + max(0, volume.free_bytes - volume.min_free_bytes) if volume.free_bytes is not None else 0
