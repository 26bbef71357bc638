"""Pages of cameras: the list, and one camera with everything about it."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, Actor, actor_of, may, visible
from apps.cameras.models import Camera
from apps.inference.models import Analytic, Event
from apps.streams.life import Life
from apps.streams.models import Source, Stream, StreamLog
from apps.streams.selectors import stored_bytes_of_camera
from apps.system.pages.camera_forms import StreamForm
from apps.system.pages.events import rows_for
from apps.system.pages.page_access import camera_or_404, camera_resource, may_anywhere
from apps.system.pages.tiles import driver_words, tiles_for
from omma_engine.redaction import redact

_LOG_LENGTH = 20
_EVENT_COUNT = 6
_AT_REST = (Life.PAUSED, Life.STOP, Life.DONE, Life.FAILURE)


@require_safe
@login_required
def camera_list(request: HttpRequest) -> HttpResponse:
    """List the cameras with their state."""
    actor = actor_of(request)
    cameras = visible(actor, Action.VIEW, Camera.objects.order_by("number", "id"), camera_path="id")
    context = {
        "tiles": tiles_for(actor, list(cameras)),
        "may_add": may_anywhere(actor, Action.MANAGE_CAMERAS),
    }
    return render(request, "app/cameras.html", context)


@require_safe
@login_required
def camera(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Show one camera: live, its facts, controls, analytics, events and log."""
    actor = actor_of(request)
    return camera_page(request, actor, camera_or_404(actor, camera_id))


def camera_page(
    request: HttpRequest,
    actor: Actor,
    row: Camera,
    *,
    refused_form: StreamForm | None = None,
    name_error: str = "",
) -> HttpResponse:
    """Return the page of a camera, with what was wrong in what was sent, if anything was."""
    streams = list(Stream.objects.filter(camera=row).order_by("name"))
    forms = [StreamForm(None, stream=stream) for stream in streams]
    if refused_form is not None:
        forms = [refused_form if form.stream == refused_form.stream else form for form in forms]
    events = visible(actor, Action.VIEW, Event.objects.filter(camera_id=row.id)).order_by("-start", "-id")
    stored = stored_bytes_of_camera(row.id)
    context = {
        "camera": row,
        "tile": tiles_for(actor, [row])[0],
        "streams": streams,
        "stream_forms": forms,
        "refused_form": refused_form,
        "analytics": Analytic.objects.filter(camera=row).select_related("model_version__model"),
        "events": rows_for(list(events[:_EVENT_COUNT])),
        "log": StreamLog.objects.filter(source__camera=row).order_by("-at", "-id")[:_LOG_LENGTH],
        "is_at_rest": row.is_enabled and Source.objects.filter(camera=row, life__in=_AT_REST).exists(),
        "driver_words": driver_words(row),
        "shown_address": redact(row.address),
        "stored_bytes": stored,
        "may_manage": may(actor, Action.MANAGE_CAMERAS, camera_resource(row)).allowed,
        "delete_words": _delete_words(stored),
        "name_error": name_error,
    }
    status = 422 if refused_form is not None or name_error else 200
    return render(request, "app/camera.html", context, status=status)


def _delete_words(stored_bytes: int) -> str:
    return _("Removes the camera, its recordings and its footage (%(size)s). This cannot be undone.") % {
        "size": filesizeformat(stored_bytes)
    }
