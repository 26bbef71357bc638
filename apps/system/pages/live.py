"""The live wall."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, actor_of, visible
from apps.cameras.models import Camera
from apps.system.pages.page_access import may_anywhere
from apps.system.pages.tiles import Tile, tiles_for


@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """Lead to the live wall."""
    return redirect("pages:live")


@require_safe
@login_required
def live(request: HttpRequest) -> HttpResponse:
    """Show every camera that is on the wall."""
    actor = actor_of(request)
    cameras = visible(actor, Action.VIEW, Camera.objects.filter(is_on_wall=True), camera_path="id")
    tiles = tiles_for(actor, list(cameras.order_by("number", "id")))
    context = {
        "tiles": tiles,
        "summary": _summary(tiles),
        "columns": _columns(len(tiles)),
        "may_add": may_anywhere(actor, Action.MANAGE_CAMERAS),
    }
    return render(request, "app/live.html", context)


def _columns(count: int) -> str:
    """Return how many tiles stand side by side: as many as below each other, up to 16 in all."""
    return next((str(side) for side in (1, 2, 3, 4) if count <= side * side), "many")


def _summary(tiles: list[Tile]) -> str:
    if not tiles:
        return ""
    count = len(tiles)
    live_count = sum(tile.status == "live" for tile in tiles)
    cameras = ngettext("%(count)d camera", "%(count)d cameras", count) % {"count": count}
    return cameras if live_count == count else f"{cameras}, {live_count} live"
