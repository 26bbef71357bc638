"""Pages of cameras: the list, one camera, and adding one after a look through it."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Action, Actor, actor_of, may, visible
from apps.accounts.models import Account
from apps.cameras import services as camera_services
from apps.cameras.models import Camera
from apps.cameras.probing import probe_address
from apps.core.exceptions import OmmaError
from apps.inference import services as inference_services
from apps.inference.models import Analytic, Event
from apps.streams import services as stream_services
from apps.streams.models import Mode, Stream, StreamLog
from apps.streams.selectors import stored_bytes_of_camera
from apps.system.pages.events import rows_for
from apps.system.pages.form_errors import show_error
from apps.system.pages.page_access import accounts_with, camera_or_404, camera_resource, may_anywhere
from apps.system.pages.tiles import tiles_for
from omma_engine.redaction import redact

_LOG_LENGTH = 20
_EVENT_COUNT = 6
_MODE_CHOICES = (
    (Mode.EVENTS, gettext_lazy("On events"), gettext_lazy("with some seconds before and after")),
    (Mode.CONTINUOUS, gettext_lazy("All the time"), ""),
    (Mode.OFF, gettext_lazy("Never"), gettext_lazy("live view and detection go on")),
)


class CameraForm(forms.Form):
    """What is needed to add a camera."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    address = forms.CharField(
        max_length=1000,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("For example rtsp://camera.local/main, or http://… for MJPEG and HLS."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    username = forms.CharField(max_length=200, required=False, label=gettext_lazy("User name"))
    password = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("Stored encrypted, and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=True),
    )
    account = forms.ModelChoiceField(queryset=Account.objects.none(), label=gettext_lazy("Account"))

    def __init__(self, *args: Any, accounts: list[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = Account.objects.filter(pk__in=[account.pk for account in accounts])
        if len(accounts) == 1:
            del self.fields["account"]


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
    row = camera_or_404(actor, camera_id)
    events = visible(actor, Action.VIEW, Event.objects.filter(camera_id=row.id)).order_by("-start", "-id")
    stored = stored_bytes_of_camera(row.id)
    context = {
        "camera": row,
        "tile": tiles_for(actor, [row])[0],
        "streams": Stream.objects.filter(camera=row).order_by("name"),
        "analytics": Analytic.objects.filter(camera=row).select_related("model_version__model"),
        "events": rows_for(list(events[:_EVENT_COUNT])),
        "log": StreamLog.objects.filter(source__camera=row).order_by("-at", "-id")[:_LOG_LENGTH],
        "shown_address": redact(row.address),
        "stored_bytes": stored,
        "mode_choices": _MODE_CHOICES,
        "may_manage": may(actor, Action.MANAGE_CAMERAS, camera_resource(row)).allowed,
        "delete_words": _delete_words(row, stored),
    }
    return render(request, "app/camera.html", context)


def _delete_words(row: Camera, stored_bytes: int) -> str:
    return _("Removes the camera, its recordings and its footage (%(size)s). This cannot be undone.") % {
        "size": filesizeformat(stored_bytes)
    }


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def camera_add(request: HttpRequest) -> HttpResponse:
    """Add a camera; everything but its name and address has a default."""
    actor = actor_of(request)
    form = _camera_form(request, actor)
    if request.method == "POST" and form.is_valid():
        fields = _fields(form)
        try:
            row = camera_services.add_camera(actor=actor, **fields)
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("%(name)s is added and live.") % {"name": row.name})
            return redirect("pages:camera", camera_id=row.id)
    return render(request, "app/camera_add.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required
def camera_probe(request: HttpRequest) -> HttpResponse:
    """Open the address once and show what is seen, before anything is saved."""
    actor = actor_of(request)
    form = _camera_form(request, actor)
    form.fields["name"].required = False
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        fields = _fields(form)
        try:
            context["probe"] = probe_address(
                address=fields["address"], username=fields["username"], password=fields["password"]
            )
        except OmmaError as error:
            context["probe_error"] = error.message
    else:
        context["probe_error"] = _("Enter the address first.")
    is_partial = request.headers.get("HX-Request") == "true"
    return render(request, "partials/probe.html" if is_partial else "app/camera_add.html", context)


def _camera_form(request: HttpRequest, actor: Actor) -> CameraForm:
    accounts = accounts_with(actor, Action.MANAGE_CAMERAS)
    if not accounts:
        raise PermissionDenied
    form = CameraForm(request.POST if request.method == "POST" else None, accounts=accounts)
    form.default_account = accounts[0]  # type: ignore[attr-defined]  # read back in _fields
    return form


def _fields(form: CameraForm) -> dict[str, Any]:
    fields = dict(form.cleaned_data)
    fields.setdefault("account", form.default_account)  # type: ignore[attr-defined]
    return fields


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
def camera_delete(request: HttpRequest, camera_id: UUID) -> HttpResponse:
    """Remove a camera, after its name was typed."""
    actor = actor_of(request)
    row = camera_or_404(actor, camera_id, Action.MANAGE_CAMERAS)
    if request.POST.get("name", "").strip() != row.name:
        messages.error(request, _("The name does not match; nothing was removed."))
        return redirect("pages:camera", camera_id=row.id)
    camera_services.delete_camera(actor=actor, camera=row)
    messages.success(request, _("%(name)s is removed.") % {"name": row.name})
    return redirect("pages:cameras")


@require_POST
@login_required
def stream_mode(request: HttpRequest, stream_id: UUID) -> HttpResponse:
    """Set what is kept of a stream."""
    actor = actor_of(request)
    stream = get_object_or_404(Stream.objects.select_related("camera"), pk=stream_id)
    camera_or_404(actor, stream.camera_id, Action.MANAGE_CAMERAS)
    try:
        stream_services.set_mode(actor=actor, stream=stream, mode=request.POST.get("mode", ""))
    except OmmaError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("Saved."))
    return redirect("pages:camera", camera_id=stream.camera_id)


@require_POST
@login_required
def analytic_toggle(request: HttpRequest, analytic_id: UUID) -> HttpResponse:
    """Turn an analytic on or off."""
    actor = actor_of(request)
    analytic = get_object_or_404(Analytic, pk=analytic_id)
    camera_or_404(actor, analytic.camera_id, Action.MANAGE_CAMERAS)
    inference_services.update_analytic(
        actor=actor, analytic=analytic, values={"is_enabled": not analytic.is_enabled}
    )
    return redirect("pages:camera", camera_id=analytic.camera_id)
