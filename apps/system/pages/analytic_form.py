"""The form of an analytic: what it looks for, where, when, and whether it counts."""

import json
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.inference.models import Analytic, AnalyticKind
from omma_engine.inference.counting import decode_counting

_DAYS = (
    ("1", gettext_lazy("Monday")), ("2", gettext_lazy("Tuesday")), ("3", gettext_lazy("Wednesday")),
    ("4", gettext_lazy("Thursday")), ("5", gettext_lazy("Friday")), ("6", gettext_lazy("Saturday")),
    ("7", gettext_lazy("Sunday")),
)  # fmt: skip
_PLAIN = ("name", "label", "kind", "rate_fps", "min_confidence", "labels")


class AnalyticForm(forms.Form):
    """One analytic as people edit it. What is too rich for a form keeps its place and is left alone."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    label = forms.CharField(
        required=False,
        max_length=128,
        label=gettext_lazy("Label"),
        help_text=gettext_lazy("For programs that read its results, such as “entrance”."),
    )
    kind = forms.ChoiceField(
        choices=(
            (AnalyticKind.OBJECTS, gettext_lazy("Find and follow objects")),
            (AnalyticKind.PEOPLE_COUNT, gettext_lazy("Count them as well")),
        ),
        label=gettext_lazy("What it does"),
    )
    rate_fps = forms.FloatField(
        min_value=0.01,
        max_value=60,
        label=gettext_lazy("Pictures a second"),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    min_confidence = forms.FloatField(
        min_value=0,
        max_value=1,
        label=gettext_lazy("Least confidence"),
        help_text=gettext_lazy("From 0 to 1."),
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )
    labels = forms.MultipleChoiceField(
        required=False,
        choices=(),
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Only these"),
        help_text=gettext_lazy("None chosen: all that the model knows."),
    )
    polygon = forms.CharField(required=False, widget=forms.HiddenInput, label=gettext_lazy("Zone"))
    weekdays = forms.MultipleChoiceField(
        required=False,
        choices=_DAYS,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("On these days"),
        help_text=gettext_lazy("None chosen: every day."),
    )
    opens = forms.CharField(required=False, max_length=5, label=gettext_lazy("From"))
    closes = forms.CharField(
        required=False,
        max_length=5,
        label=gettext_lazy("Until"),
        help_text=gettext_lazy("Such as 08:00 and 18:30; 24:00 is midnight. Both empty: at all times."),
    )
    timezone = forms.CharField(
        required=False,
        max_length=64,
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Such as Europe/Berlin. Empty: UTC."),
    )
    at_least = forms.IntegerField(
        required=False, min_value=0, max_value=100_000, label=gettext_lazy("A crowd is at least")
    )
    at_most = forms.IntegerField(
        required=False, min_value=0, max_value=100_000, label=gettext_lazy("and at most")
    )
    period_s = forms.FloatField(
        required=False,
        min_value=0.5,
        max_value=86_400,
        label=gettext_lazy("Tell the number every (seconds)"),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )

    def __init__(self, data: Any, *, analytic: Analytic) -> None:
        super().__init__(data, initial=_initial(analytic))
        self.analytic = analytic
        known = cast("forms.MultipleChoiceField", self.fields["labels"])  # declared above
        known.choices = [(label, label) for label in analytic.model_version.labels]

    @property
    def has_own_region(self) -> bool:
        """Whether the form shows where it looks: everywhere, or in one polygon."""
        regions = self.analytic.regions
        return not regions or (len(regions) == 1 and isinstance(regions[0], list))

    @property
    def has_own_schedule(self) -> bool:
        """Whether the form shows when it works: always, or between two times of some days."""
        return len(self.analytic.schedule) <= 1

    def clean_polygon(self) -> list[Any]:
        """Return the points; whether they make a zone is for the service to say."""
        try:
            points = json.loads(self.cleaned_data["polygon"] or "[]")
        except (ValueError, RecursionError):
            points = None
        if not isinstance(points, list):
            raise forms.ValidationError(_("The zone is not a list of points."))
        return points

    def changes(self) -> dict[str, Any]:
        """Return what the service is to set."""
        values = self.cleaned_data
        changes = {name: values[name] for name in _PLAIN}
        if self.has_own_region:
            changes["regions"] = [values["polygon"]] if values["polygon"] else []
        if self.has_own_schedule:
            changes["schedule"] = self._schedule(values)
        changes["counting"] = {}
        if values["kind"] == AnalyticKind.PEOPLE_COUNT:
            counted = {name: values[name] for name in ("at_least", "at_most")}
            period = {} if values["period_s"] is None else {"period_s": values["period_s"]}
            changes["counting"] = {**self.analytic.counting, **counted, **period}
        return changes

    def _schedule(self, values: dict[str, Any]) -> list[dict[str, Any]]:
        if not (values["opens"] or values["closes"] or values["weekdays"]):
            return []
        days = [int(day) for day in values["weekdays"]] or list(range(1, 8))
        return [
            {
                "weekdays": days,
                "start": values["opens"] or "00:00",
                "end": values["closes"] or "24:00",
                "timezone": values["timezone"] or "UTC",
            }
        ]


FIELD_OF = {"regions": "polygon", "schedule": "opens", "counting": "at_least"}
"""The form's fields for what the service calls otherwise."""


def _initial(analytic: Analytic) -> dict[str, Any]:
    counting = decode_counting(analytic.counting)
    entry = analytic.schedule[0] if len(analytic.schedule) == 1 else {}
    region = analytic.regions[0] if len(analytic.regions) == 1 else []
    return {
        **{name: getattr(analytic, name) for name in _PLAIN},
        "polygon": json.dumps(region if isinstance(region, list) else []),
        "weekdays": [str(day) for day in entry.get("weekdays", ())],
        "opens": entry.get("start", ""),
        "closes": entry.get("end", ""),
        "timezone": entry.get("timezone", ""),
        "at_least": counting.at_least,
        "at_most": counting.at_most,
        "period_s": counting.period_s,
    }
