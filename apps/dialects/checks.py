"""What can be wrong with the dialects' settings, said at the start."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


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
