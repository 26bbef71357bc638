"""The rail: the places of the interface, and which one this page is."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

_PLACES = (
    ("pages:live", _("Live"), "layout-grid", True),
    ("pages:timeline", _("Timeline"), "history", True),
    ("pages:recordings", _("Recordings"), "film", True),
    ("pages:events", _("Events"), "bell", True),
    ("pages:cameras", _("Cameras"), "cctv", False),
    ("pages:rules", _("Rules"), "list-checks", False),
    ("pages:videos", _("Videos"), "clapperboard", False),
    ("pages:models", _("Models"), "brain", False),
    ("pages:exports", _("Exports"), "package", False),
    ("pages:statistics", _("Statistics"), "chart-column", False),
    ("pages:system", _("System"), "activity", False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the rail; only short ones stand in a phone's bottom bar."""

    url: str
    label: str
    icon: str
    is_short: bool
    is_current: bool


def places(request: HttpRequest) -> dict[str, object]:
    """Give every template the rail (a context processor)."""
    if not request.path.startswith("/app/"):
        return {"places": []}
    urls = [(reverse(name), label, icon, is_short) for name, label, icon, is_short in _PLACES]
    live = urls[0][0]  # every other page's address begins with it
    current = next((url for url, *_rest in urls[1:] if request.path.startswith(url)), "")
    if request.path == live:
        current = live
    shown = [
        Place(url=url, label=str(label), icon=icon, is_short=is_short, is_current=url == current)
        for url, label, icon, is_short in urls
    ]
    return {
        "places": shown,
        "is_more_current": any(place.is_current and not place.is_short for place in shown),
    }
