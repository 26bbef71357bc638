"""What can be wrong with the dialects' settings, said at the start."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from apps.dialects.luna.statuses import problem_in

DIALECTS = {"luna", "spectrax"}


@register()
def check_time_zone(**_: Any) -> list[CheckMessage]:
    """Times without an offset, as SpectraX has them, need a zone that exists."""
    name = settings.OMMA_SPECTRAX_TIME_ZONE
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder, an impossible name, an unknown one
        message = f"OMMA_SPECTRAX_TIME_ZONE: there is no time zone {name!r}"
        return [Error(message, id="dialects.E001")]
    return []


@register()
def check_root_dialects(**_: Any) -> list[CheckMessage]:
    """What answers at the root has to be a dialect that there is."""
    unknown = sorted(set(settings.OMMA_ROOT_DIALECTS) - DIALECTS)
    words = f"OMMA_ROOT_DIALECTS: there is no dialect {unknown[0]!r}" if unknown else ""
    return [Error(words, id="dialects.E002")] if words else []


@register()
def check_luna_statuses(**_: Any) -> list[CheckMessage]:
    """Luna's numbers of statuses tell them apart only where each has its own."""
    problem = problem_in(settings.OMMA_LUNA_STATUSES)
    return [Error(f"OMMA_LUNA_STATUSES: {problem}", id="dialects.E003")] if problem else []
