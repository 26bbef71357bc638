"""Adding, changing and removing volumes: for the site's superusers."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import Actor, actor_of
from apps.core.exceptions import OmmaError
from apps.streams import volume_services
from apps.streams.models import Volume, VolumeTier
from apps.system.pages.form_errors import show_error

_GIGABYTE = 1 << 30
_MOST_GIGABYTES = (1 << 53) / _GIGABYTE


class VolumeForm(forms.Form):
    """A folder that footage is kept in."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    root = forms.CharField(
        max_length=500,
        label=gettext_lazy("Folder"),
        help_text=gettext_lazy(
            "An absolute path on this machine: an empty folder, or one that was a volume here."
        ),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    tier = forms.ChoiceField(
        choices=[
            (VolumeTier.RECORDING, gettext_lazy("cameras are recorded to it")),
            (VolumeTier.ARCHIVE, gettext_lazy("retention moves footage to it")),
        ],
        widget=forms.RadioSelect,
        initial=VolumeTier.RECORDING,
        label=gettext_lazy("Used for"),
    )
    max_gigabytes = forms.FloatField(
        min_value=0.1,
        max_value=_MOST_GIGABYTES,
        required=False,
        label=gettext_lazy("Use at most (GB)"),
        help_text=gettext_lazy("Empty: all the room there is."),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    min_free_gigabytes = forms.FloatField(
        min_value=0,
        max_value=_MOST_GIGABYTES,
        initial=1,
        label=gettext_lazy("Leave free (GB)"),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )

    def __init__(self, data: Any, *, volume: Volume | None) -> None:
        super().__init__(data, initial=_initial(volume) if volume else None)
        if volume is not None:
            del self.fields["tier"]

    def values(self) -> dict[str, Any]:
        """Return what was entered, as the services take it."""
        entered = self.cleaned_data
        most = entered["max_gigabytes"]
        values: dict[str, Any] = {name: entered[name] for name in entered.keys() & {"name", "root", "tier"}}
        return {
            **values,
            "max_bytes": None if most is None else round(most * _GIGABYTE),
            "min_free_bytes": round(entered["min_free_gigabytes"] * _GIGABYTE),
        }


_SERVICE_FIELDS = {"max_bytes": "max_gigabytes", "min_free_bytes": "min_free_gigabytes"}


def _initial(volume: Volume) -> dict[str, Any]:
    return {
        "name": volume.name,
        "root": volume.root,
        "max_gigabytes": round(volume.max_bytes / _GIGABYTE, 2) if volume.max_bytes else None,
        "min_free_gigabytes": round(volume.min_free_bytes / _GIGABYTE, 2),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def volume_add(request: HttpRequest) -> HttpResponse:
    """Add a volume."""
    actor = actor_of(request)
    _require_superuser(actor)
    form = VolumeForm(request.POST if request.method == "POST" else None, volume=None)
    if request.method == "POST" and form.is_valid():
        try:
            row = volume_services.add_volume(actor=actor, **form.values())
        except (OmmaError, ValidationError) as error:
            show_error(form, error, _SERVICE_FIELDS)
        else:
            messages.success(request, _("%(name)s is added.") % {"name": row.name})
            return redirect("pages:storage")
    context = {"form": form, "form_title": _("Add a volume")}
    return render(request, "app/volume.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def volume(request: HttpRequest, volume_id: UUID) -> HttpResponse:
    """Change a volume's name, place or limits."""
    actor = actor_of(request)
    row = _volume_or_404(actor, volume_id)
    form = VolumeForm(request.POST if request.method == "POST" else None, volume=row)
    if request.method == "POST" and form.is_valid():
        changes = form.values()
        if changes["root"] == row.root:
            del changes["root"]
        try:
            volume_services.update_volume(actor=actor, volume=row, changes=changes)
        except (OmmaError, ValidationError) as error:
            show_error(form, error, _SERVICE_FIELDS)
        else:
            messages.success(request, _("Saved."))
            return redirect("pages:storage")
    context = {"form": form, "form_title": row.name, "volume": row}
    return render(request, "app/volume.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def volume_remove(request: HttpRequest, volume_id: UUID) -> HttpResponse:
    """Forget a volume that holds nothing."""
    actor = actor_of(request)
    row = _volume_or_404(actor, volume_id)
    try:
        volume_services.remove_volume(actor=actor, volume=row)
    except OmmaError as error:
        messages.error(request, error.message)
        return redirect("pages:volume", volume_id=volume_id)
    messages.success(request, _("%(name)s is removed; its folder stays as it is.") % {"name": row.name})
    return redirect("pages:storage")


def _require_superuser(actor: Actor) -> None:
    if not actor.is_superuser:
        raise Http404


def _volume_or_404(actor: Actor, volume_id: UUID) -> Volume:
    _require_superuser(actor)
    row = Volume.objects.filter(pk=volume_id).first()
    if row is None:
        raise Http404
    return row
