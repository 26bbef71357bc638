"""What people do to cameras on the pages: add, try, change, restart and remove them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import Action, Actor, actor_of
from apps.cameras import services as camera_services
from apps.cameras.probing import probe_address
from apps.core.exceptions import ConflictError, OmmaError
from apps.inference import services as inference_services
from apps.inference.models import Analytic
from apps.streams import life_services
from apps.streams import services as stream_services
from apps.streams.models import Stream
from apps.system.pages.camera_forms import CameraForm, CameraSettingsForm, StreamForm
from apps.system.pages.cameras import camera_page
from apps.system.pages.form_errors import show_error
from apps.system.pages.page_access import accounts_with, camera_or_404


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def camera_add(request: HttpRequest) -> HttpResponse:
    """Add a camera; everything but its name and address has a default."""
    actor = actor_of(request)
    form = _camera_form(request, actor)
    if request.method == "POST" and form.is_valid():
        try:
            row = camera_services.add_camera(actor=actor, **form.values())
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("%(name)s is added.") % {"name": row.name})
            return redirect("pages:camera", camera_id=row.id)
    return render(request, "app/camera_add.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required
def camera_probe(request: HttpRequest) -> HttpResponse:
    """Open the address once and show what is seen, before anything is saved."""
    actor = actor_of(request)
    form = _camera_form(request, actor)
    form.fields["name"].required = False
    context = {"form": form, **_probed(form)}
    if request.headers.get("HX-Request") == "true":
        return render(request, "partials/probe.html", context)
    status = 422 if "probe_error" in context else 200
    return render(request, "app/camera_add.html", context, status=status)


def _probed(form: CameraForm) -> dict[str, Any]:
    if not form.is_valid():
        texts = form.errors.get("address") or [text for errors in form.errors.values() for text in errors]
        return {"probe_error": texts[0]}
    values = form.values()
    try:
        seen = probe_address(
            address=values["address"], username=values["username"], password=values["password"]
        )
    except OmmaError as error:
        return {"probe_error": error.message}
    return {"probe": seen}


def _camera_form(request: HttpRequest, actor: Actor) -> CameraForm:
    accounts = accounts_with(actor, Action.MANAGE_CAMERAS)
    if not accounts:
        raise PermissionDenied
    return CameraForm(request.POST if request.method == "POST" else None, accounts=accounts)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def camera_edit(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Change a camera's name, address, login and options."""
    actor = actor_of(request)
    row = camera_or_404(actor, camera_id, Action.MANAGE_CAMERAS)
    form = CameraSettingsForm(request.POST if request.method == "POST" else None, camera=row)
    if request.method == "POST" and form.is_valid():
        try:
            camera_services.update_camera(actor=actor, camera=row, changes=form.changes())
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("pages:camera", camera_id=row.id)
    context = {"form": form, "camera": row}
    return render(request, "app/camera_edit.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def camera_restart(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Restart the camera's sources."""
    actor = actor_of(request)
    row = camera_or_404(actor, camera_id, Action.MANAGE_CAMERAS)
    for source in row.sources.all():
        stream_services.restart_source(actor=actor, source=source)
    messages.success(request, _("%(name)s restarts.") % {"name": row.name})
    return redirect("pages:camera", camera_id=row.id)


@require_POST
@login_required
def camera_pause(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Pause the camera until it is resumed."""
    actor = actor_of(request)
    row = camera_or_404(actor, camera_id, Action.MANAGE_CAMERAS)
    for source in row.sources.order_by("pk"):
        life_services.pause_source(actor=actor, source=source)
    messages.success(
        request, _("%(name)s is paused. Nothing is recorded until it is resumed.") % {"name": row.name}
    )
    return redirect("pages:camera", camera_id=row.id)


@require_POST
@login_required
def camera_resume(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Resume a camera that is paused, stopped, done or has failed."""
    actor = actor_of(request)
    row = camera_or_404(actor, camera_id, Action.MANAGE_CAMERAS)
    for source in row.sources.order_by("pk"):
        life_services.resume_source(actor=actor, source=source)
    messages.success(request, _("%(name)s is resumed.") % {"name": row.name})
    return redirect("pages:camera", camera_id=row.id)


@require_POST
@login_required
def camera_delete(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Remove a camera, after its name was typed."""
    actor = actor_of(request)
    row = camera_or_404(actor, camera_id, Action.MANAGE_CAMERAS)
    if request.POST.get("name", "").strip() != row.name.strip():
        wrong = _("This is not the camera's name; nothing was removed.")
        return camera_page(request, actor, row, name_error=wrong)
    try:
        camera_services.delete_camera(actor=actor, camera=row)
    except ConflictError as error:
        return camera_page(request, actor, row, name_error=error.message)
    messages.success(request, _("%(name)s is removed.") % {"name": row.name})
    return redirect("pages:cameras")


@require_POST
@login_required
def stream_settings(request: HttpRequest, stream_id: UUID) -> HttpResponse:
    """Set what is kept of a stream."""
    actor = actor_of(request)
    stream = Stream.objects.select_related("camera").filter(pk=stream_id).first()
    if stream is None:
        raise Http404
    row = camera_or_404(actor, stream.camera_id, Action.MANAGE_CAMERAS)
    form = StreamForm(request.POST, stream=stream)
    if form.is_valid():
        try:
            stream_services.update_stream(actor=actor, stream=stream, **form.cleaned_data)
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("pages:camera", camera_id=row.id)
    return camera_page(request, actor, row, refused_form=form)


@require_POST
@login_required
def analytic_toggle(request: HttpRequest, analytic_id: UUID) -> HttpResponse:
    """Turn an analytic on or off."""
    actor = actor_of(request)
    analytic = Analytic.objects.filter(pk=analytic_id).first()
    if analytic is None:
        raise Http404
    camera_or_404(actor, analytic.camera_id, Action.MANAGE_CAMERAS)
    inference_services.update_analytic(
        actor=actor, analytic=analytic, values={"is_enabled": not analytic.is_enabled}
    )
    return redirect("pages:camera", camera_id=analytic.camera_id)
