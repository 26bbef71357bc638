"""The timeline: one time bar and one clock for several cameras, and what is kept of a selection."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Action, Actor, actor_of, may, visible
from apps.cameras.models import Camera
from apps.core.exceptions import OmmaError
from apps.recordings import services
from apps.recordings.models import Recording
from apps.streams.models import Stream
from apps.system.pages.page_access import camera_resource
from apps.system.pages.selection_form import SelectionForm
from apps.system.pages.stream_choice import chosen_streams

MOST_CAMERAS = 9
_USUAL_CAMERAS = 4


@dataclass(frozen=True, slots=True)
class Lane:
    """One camera on the timeline, and the stream of it that is shown."""

    camera: Camera
    stream: Stream | None
    is_chosen: bool


@require_safe
@login_required
def timeline(request: HttpRequest) -> HttpResponse:
    """Show what is recorded of some cameras, and play it."""
    actor = actor_of(request)
    lanes = _lanes(request, actor)
    chosen = [lane for lane in lanes if lane.is_chosen and lane.stream]
    context = {
        "lanes": lanes,
        "chosen": chosen,
        "columns": "1" if len(chosen) == 1 else "2" if len(chosen) <= 4 else "3",
        "most_cameras": MOST_CAMERAS,
        "may_record": bool(chosen)
        and all(may(actor, Action.RECORD, camera_resource(lane.camera)).allowed for lane in chosen),
        "at": request.GET.get("at", "")[:40],
        "span": request.GET.get("span", "")[:10],
    }
    return render(request, "app/timeline.html", context)


def _lanes(request: HttpRequest, actor: Actor) -> list[Lane]:
    """Return all cameras that may be played back; chosen are those asked for, else the first few."""
    cameras = list(visible(actor, Action.PLAYBACK, Camera.objects.order_by("number", "id"), camera_path="id"))
    asked = request.GET.getlist("camera")
    wanted = [camera for camera in cameras if str(camera.id) in asked][:MOST_CAMERAS]
    chosen = {camera.id for camera in wanted or cameras[:_USUAL_CAMERAS]}
    streams: dict[UUID, Stream] = {}
    for stream in Stream.objects.filter(camera__in=cameras).order_by("name", "id"):
        if stream.name == "main" or stream.camera_id not in streams:
            streams[stream.camera_id] = stream
    return [Lane(camera, streams.get(camera.id), camera.id in chosen) for camera in cameras]


@require_POST
@login_required
def keep_selection(request: HttpRequest) -> HttpResponse:
    """Make a recording of a stretch of each stream; those that have nothing there are named."""
    actor = actor_of(request)
    streams = chosen_streams(request, actor)
    form = SelectionForm(request.POST)
    if not streams or not form.is_valid():
        messages.error(request, _("Choose cameras and a stretch of time first."))
        return redirect("pages:timeline")
    made = 0
    for stream in streams:
        try:
            _keep(actor, stream, form.cleaned_data)
        except OmmaError as error:
            messages.error(request, f"{stream.camera.name}: {error.message}")
        else:
            made += 1
    if made:
        words = ngettext("%(count)d recording is kept.", "%(count)d recordings are kept.", made)
        messages.success(request, words % {"count": made})
    return redirect("pages:recordings")


def _keep(actor: Actor, stream: Stream, values: dict[str, Any]) -> Recording:
    row = services.save_range(
        actor=actor, stream=stream, start=values["start"], end=values["end"], name=values["name"]
    )
    return services.hold_recording(actor=actor, recording=row) if values["held"] else row
