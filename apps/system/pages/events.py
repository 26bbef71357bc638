"""The events page, and an event as a row of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, Actor, actor_of, visible
from apps.cameras.models import Camera
from apps.inference.models import Event
from apps.recordings.models import Recording
from apps.rules.models import RuleFiring
from apps.system.pages.durations import percent
from apps.system.pages.paging import page_query

_PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as the list shows it."""

    id: UUID
    kind: str
    label: str
    start: datetime
    camera_name: str
    confidence: float | None
    percent: int
    cause_name: str
    snapshot: str
    recording_id: UUID | None


def rows_for(events: Sequence[Event]) -> list[EventRow]:
    """Return list rows with their cameras' names and the recordings they started that are still there."""
    names = dict(
        Camera.objects.filter(pk__in={event.camera_id for event in events}).values_list("pk", "name")
    )
    firings = RuleFiring.objects.filter(
        event_id__in=[event.id for event in events], recording_id__in=Recording.objects.values("id")
    )
    recordings = dict(firings.values_list("event_id", "recording_id"))
    return [
        EventRow(
            id=event.id,
            kind=event.get_kind_display(),
            label=event.label,
            start=event.start,
            camera_name=names.get(event.camera_id, "") if event.camera_id else "",
            confidence=event.confidence,
            percent=percent(event.confidence),
            cause_name=event.cause_name,
            snapshot=event.snapshot,
            recording_id=recordings.get(event.id),
        )
        for event in events
    ]


class EventFilterForm(forms.Form):
    """Filters of the events page."""

    camera = forms.ModelChoiceField(
        Camera.objects.none(), required=False, label=gettext_lazy("Camera"), empty_label=gettext_lazy("all")
    )
    label = forms.CharField(max_length=64, required=False, label=gettext_lazy("Seen"))

    def __init__(self, data: object, *, actor: Actor) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a QueryDict
        cameras = cast("forms.ModelChoiceField[Camera]", self.fields["camera"])  # declared above
        cameras.queryset = visible(
            actor, Action.VIEW, Camera.objects.order_by("name", "id"), camera_path="id"
        )


@require_safe
@login_required
def events(request: HttpRequest) -> HttpResponse:
    """List what happened, newest first."""
    actor = actor_of(request)
    form = EventFilterForm(request.GET, actor=actor)
    rows = visible(actor, Action.VIEW, Event.objects.order_by("-start", "-id"))
    chosen = form.cleaned_data if form.is_valid() else {}
    if chosen.get("camera"):
        rows = rows.filter(camera_id=chosen["camera"].id)
    if chosen.get("label"):
        rows = rows.filter(label=chosen["label"].lower())
    page = Paginator(rows, _PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": rows_for(list(page.object_list)),
        "filter_form": form,
        "is_filtered": any(chosen.values()),
        "page_query": page_query(request),
    }
    return render(request, "app/events.html", context, status=422 if form.errors else 200)
