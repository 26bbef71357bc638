"""The statistics page: what is stored and missing, and what was seen; by camera, day, cause and label."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, cast

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, Actor, actor_of, visible
from apps.accounts.selectors import accounts_of
from apps.cameras.models import Camera
from apps.core.days import Day, day_of, days_between, zone_named
from apps.recordings.statistics import Figures, Statistics, TrackFigures, statistics_of_cameras
from apps.system.pages.durations import duration_words
from apps.system.pages.gap_words import cause_words

_MOST_TRACKS = 10
_USUAL_DAYS = 7
_CHART_HEIGHT = 100.0
_COLUMN = 10.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table with a bar: a name, figures in words, and how long the bar is, in percent."""

    name: str
    words: tuple[str, ...]
    percent: float
    camera_id: object = None


@dataclass(frozen=True, slots=True)
class Column:
    """One day of the chart: where it stands, and how high what is recorded and missing are."""

    day: date
    x: float
    recorded: float
    missing: float
    recorded_words: str
    missing_words: str

    @property
    def recorded_y(self) -> float:
        return _CHART_HEIGHT - self.recorded

    @property
    def missing_y(self) -> float:
        return self.recorded_y - self.missing


class StatisticsForm(forms.Form):
    """Which cameras, and how many days up to today."""

    days = forms.TypedChoiceField(
        choices=[
            (1, gettext_lazy("today")),
            (7, gettext_lazy("7 days")),
            (30, gettext_lazy("30 days")),
            (90, gettext_lazy("90 days")),
        ],
        coerce=int,
        required=False,
        label=gettext_lazy("Time"),
    )
    camera = forms.ModelChoiceField(
        Camera.objects.none(), required=False, label=gettext_lazy("Camera"), empty_label=gettext_lazy("all")
    )

    def __init__(self, data: Any, *, cameras: QuerySet[Camera]) -> None:
        super().__init__(data)
        field = cast("forms.ModelChoiceField[Camera]", self.fields["camera"])  # declared above
        field.queryset = cameras
        self.initial["days"] = _USUAL_DAYS


@require_safe
@login_required
def statistics(request: HttpRequest) -> HttpResponse:
    """Show figures of the last days."""
    actor = actor_of(request)
    cameras = visible(actor, Action.PLAYBACK, Camera.objects.order_by("name", "id"), camera_path="id")
    data = request.GET if request.GET else {"days": str(_USUAL_DAYS)}
    form = StatisticsForm(data, cameras=cameras)
    chosen = form.cleaned_data if form.is_valid() else {}
    names = {one.pk: one.name for one in ([chosen["camera"]] if chosen.get("camera") else cameras)}
    days = _days(actor, chosen.get("days") or _USUAL_DAYS)
    found = statistics_of_cameras(
        names, days[0].start, days[-1].end, now=timezone.now(), days=days, most_tracks=_MOST_TRACKS
    )
    context = {
        "filter_form": form,
        "zone": _zone_name(actor),
        "has_cameras": bool(names),
        "totals": _totals(found.totals),
        "chart": _columns(days, found.days),
        "chart_width": _COLUMN * len(days),
        "cameras": _camera_lines(found, names),
        "causes": _cause_lines(found),
        "labels": _label_lines(found),
        "tracks": _track_lines(found.tracks, names),
        "has_all_tracks": found.has_all_tracks,
    }
    return render(request, "app/statistics.html", context, status=422 if form.errors else 200)


def _zone_name(actor: Actor) -> str:
    """Return the time zone of the actor's first account: what a day is, people there agree on."""
    return next((account.time_zone for account in accounts_of(actor)), "UTC")


def _days(actor: Actor, count: int) -> list[Day]:
    zone = zone_named(_zone_name(actor))
    today = timezone.now().astimezone(zone).date()
    first = day_of(today - timedelta(days=count - 1), zone)
    return list(days_between(first.start, day_of(today, zone).end, zone))


def _totals(figures: Figures) -> dict[str, Any]:
    known_s = figures.recorded_s + figures.gap_s
    return {
        "recorded": _length(figures.recorded_s),
        "stored_bytes": figures.stored_bytes,
        "missing": _length(figures.gap_s),
        "gaps": figures.gaps,
        "recordings": figures.recordings,
        "share": f"{100 * figures.recorded_s / known_s:.1f}" if known_s else "",
    }


def _length(seconds: float) -> str:
    return duration_words(timedelta(seconds=max(0.0, seconds)))


def _columns(days: Sequence[Day], figures: Sequence[Figures]) -> list[Column]:
    most = max((one.recorded_s + one.gap_s for one in figures), default=0.0) or 1.0
    return [
        Column(
            day=day.day,
            x=_COLUMN * number,
            recorded=_CHART_HEIGHT * one.recorded_s / most,
            missing=_CHART_HEIGHT * one.gap_s / most,
            recorded_words=_length(one.recorded_s),
            missing_words=_length(one.gap_s),
        )
        for number, (day, one) in enumerate(zip(days, figures, strict=True))
    ]


def _lines(rows: Iterable[tuple[str, tuple[str, ...], float, object]]) -> list[Line]:
    listed = list(rows)
    most = max((amount for _name, _words, amount, _id in listed), default=0.0) or 1.0
    return [Line(name, words, 100 * amount / most, one) for name, words, amount, one in listed]


def _camera_lines(found: Statistics, names: dict[Any, str]) -> list[Line]:
    def words(one: Figures) -> tuple[str, ...]:
        return (_length(one.recorded_s), _length(one.gap_s), str(one.recordings), str(one.stored_bytes))

    ordered = sorted(found.cameras.items(), key=lambda item: names[item[0]].lower())
    return _lines((names[pk], words(one), one.recorded_s, pk) for pk, one in ordered)


def _cause_lines(found: Statistics) -> list[Line]:
    ordered = sorted(found.causes.values(), key=lambda one: -one.gap_s)
    return _lines(
        (cause_words(one.cause), (_length(one.gap_s), str(one.gaps)), one.gap_s, None) for one in ordered
    )


def _label_lines(found: Statistics) -> list[Line]:
    ordered = sorted(found.labels.values(), key=lambda one: (-one.sightings, one.label))[:20]
    return _lines(
        (one.label, (str(one.sightings), str(one.minutes)), float(one.sightings), None) for one in ordered
    )


def _track_lines(tracks: Sequence[TrackFigures], names: dict[Any, str]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.track,
            "title": _("%(label)s %(number)d") % {"label": one.label, "number": one.number},
            "camera_name": names.get(one.camera, ""),
            "camera_id": one.camera,
            "start": one.start,
            "length": duration_words(one.end - one.start),
            "hits": one.hits,
        }
        for one in tracks
    ]
