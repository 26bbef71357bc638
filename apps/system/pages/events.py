"""The events page, and an event as a row of a list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, Actor, actor_of, visible
from apps.cameras.models import Camera
from apps.inference.models import Event, Track
from apps.recordings.models import Recording
from apps.rules.models import Rule, RuleFiring
from apps.rules.services import visible_rules
from apps.system.pages.durations import duration_words, percent
from apps.system.pages.moments import MomentInput
from apps.system.pages.paging import cursor_page

_PAGE_SIZE = 24
_BEFORE = timedelta(seconds=3)  # what a card plays around the moment
_AFTER = timedelta(seconds=9)


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
    camera_id: UUID | None
    length_words: str
    crop_track_id: UUID | None
    clip_address: str

    @property
    def is_going_on(self) -> bool:
        return not self.length_words


def rows_for(events: Sequence[Event]) -> list[EventRow]:
    """Return list rows with their cameras' names and the recordings they started that are still there."""
    names = dict(
        Camera.objects.filter(pk__in={event.camera_id for event in events}).values_list("pk", "name")
    )
    firings = RuleFiring.objects.filter(
        event_id__in=[event.id for event in events], recording_id__in=Recording.objects.values("id")
    )
    recordings = dict(firings.values_list("event_id", "recording_id"))
    tracks = Track.objects.filter(pk__in={event.track_id for event in events if event.track_id})
    crops = set(tracks.exclude(crop="").values_list("pk", flat=True))
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
            camera_id=event.camera_id,
            length_words=duration_words(event.end - event.start) if event.end else "",
            crop_track_id=event.track_id if event.track_id in crops else None,
            clip_address=_clip_address(event) if event.id in recordings else "",
        )
        for event in events
    ]


def _clip_address(event: Event) -> str:
    """Return where the seconds around an event play; they are there once they are recorded."""
    if event.stream_id is None:
        return ""
    times = {"start": event.start - _BEFORE, "end": event.start + _AFTER}
    query = urlencode({name: f"{at:%Y-%m-%dT%H:%M:%S.%f}Z" for name, at in times.items()})
    return f"{reverse('media-stream-video', args=[event.stream_id])}?{query}"


class EventFilterForm(forms.Form):
    """Filters of the events page."""

    camera = forms.ModelChoiceField(
        Camera.objects.none(), required=False, label=gettext_lazy("Camera"), empty_label=gettext_lazy("all")
    )
    label = forms.CharField(max_length=64, required=False, label=gettext_lazy("Seen"))
    rule = forms.ModelChoiceField(
        Rule.objects.none(), required=False, label=gettext_lazy("Rule"), empty_label=gettext_lazy("all")
    )
    min_confidence = forms.FloatField(
        min_value=0,
        max_value=1,
        required=False,
        label=gettext_lazy("Least confidence"),
        widget=forms.NumberInput(attrs={"step": "0.05", "placeholder": gettext_lazy("0 to 1")}),
    )
    since = forms.DateTimeField(required=False, label=gettext_lazy("From"), widget=MomentInput)
    until = forms.DateTimeField(required=False, label=gettext_lazy("To"), widget=MomentInput)

    def __init__(self, data: object, *, actor: Actor) -> None:
        super().__init__(data)  # type: ignore[arg-type]  # a QueryDict
        cameras = cast("forms.ModelChoiceField[Camera]", self.fields["camera"])  # declared above, and `rule`
        cameras.queryset = visible(
            actor, Action.VIEW, Camera.objects.order_by("name", "id"), camera_path="id"
        )
        rules = cast("forms.ModelChoiceField[Rule]", self.fields["rule"])
        rules.queryset = visible_rules(actor).order_by("name", "id")

    def lookups(self) -> dict[str, Any]:
        """Return what was chosen, as lookups of events; nothing while a field is wrong."""
        chosen = self.cleaned_data if self.is_valid() else {}
        wanted = {
            "camera_id": chosen["camera"].pk if chosen.get("camera") else None,
            "label": (chosen.get("label") or "").strip().lower() or None,
            "cause_id": chosen["rule"].pk if chosen.get("rule") else None,
            "confidence__gte": chosen.get("min_confidence"),
            "start__gte": chosen.get("since"),
            "start__lt": chosen.get("until"),
        }
        return {name: value for name, value in wanted.items() if value is not None}


@require_safe
@login_required
def events(request: HttpRequest) -> HttpResponse:
    """Show what happened as cards, newest first."""
    actor = actor_of(request)
    form = EventFilterForm(request.GET, actor=actor)
    lookups = form.lookups()
    rows = visible(actor, Action.VIEW, Event.objects.filter(**lookups)).order_by("-start", "-id")
    page = cursor_page(request, rows, _PAGE_SIZE)
    context = {
        "page": page,
        "rows": rows_for(page.rows),
        "filter_form": form,
        "is_filtered": bool(lookups),
    }
    return render(request, "app/events.html", context, status=422 if form.errors else 200)
