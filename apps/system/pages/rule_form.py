"""The form of a rule."""

import json
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.access import Action, Actor, visible
from apps.accounts.models import Account
from apps.alerts.models import Target
from apps.alerts.services import visible_targets
from apps.cameras.models import Camera
from apps.catalog.models import ModelVersion
from apps.rules.models import Rule
from omma_engine.rules import ConditionKind, Direction

_COMMON_LABELS = ("person", "motion", "face")
_PLAIN_FIELDS = (
    "name", "is_enabled", "labels", "all_cameras", "min_confidence", "min_duration_s", "records",
    "pre_roll_s", "post_roll_s", "cooldown_s",
)  # fmt: skip


_CONDITION_PARTS = ("kind", "low", "high", "line", "direction")


class RuleForm(forms.Form):
    """One rule as people edit it."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    is_enabled = forms.BooleanField(required=False, initial=True, label=gettext_lazy("On"))
    labels = forms.MultipleChoiceField(
        choices=(), widget=forms.CheckboxSelectMultiple, label=gettext_lazy("What is seen")
    )
    all_cameras = forms.BooleanField(
        required=False, label=gettext_lazy("On all cameras, also on those that are added later")
    )
    cameras = forms.ModelMultipleChoiceField(
        Camera.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("On these cameras"),
    )
    min_confidence = forms.FloatField(
        min_value=0,
        max_value=1,
        initial=0.5,
        label=gettext_lazy("Least confidence"),
        help_text=gettext_lazy("From 0 to 1."),
        widget=forms.NumberInput(attrs={"step": "0.05"}),
    )
    min_duration_s = forms.FloatField(
        min_value=0,
        max_value=3600,
        initial=0,
        label=gettext_lazy("For at least (seconds)"),
        widget=forms.NumberInput(attrs={"step": "0.5"}),
    )
    condition_kind = forms.ChoiceField(
        required=False,
        choices=(
            ("", gettext_lazy("Nothing")),
            (ConditionKind.LINE, gettext_lazy("It crosses the line")),
            (ConditionKind.DWELL, gettext_lazy("It stays for so many seconds in all")),
            (ConditionKind.STATIONARY, gettext_lazy("It stands still for so many seconds")),
            (ConditionKind.COUNT, gettext_lazy("So many are there at once")),
            (ConditionKind.SPEED, gettext_lazy("It is so fast (km/h)")),
        ),
        label=gettext_lazy("Besides"),
        help_text=gettext_lazy("A speed is known only where an analytic's ground plane is calibrated."),
    )
    condition_low = forms.FloatField(
        required=False, min_value=0, max_value=86_400, label=gettext_lazy("At least"),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip
    condition_high = forms.FloatField(
        required=False, min_value=0, max_value=86_400, label=gettext_lazy("At most"),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip
    condition_line = forms.CharField(
        required=False,
        max_length=60,
        label=gettext_lazy("The line"),
        help_text=gettext_lazy("Two points in percent from the left and the top, such as 10,50 90,50."),
    )
    condition_direction = forms.ChoiceField(
        required=False,
        choices=(
            (Direction.ANY, gettext_lazy("Either way")),
            (Direction.TO_LEFT, gettext_lazy("To its left, seen from the first point")),
            (Direction.TO_RIGHT, gettext_lazy("To its right, seen from the first point")),
        ),
        label=gettext_lazy("Crossed"),
    )
    polygon = forms.CharField(required=False, widget=forms.HiddenInput, label=gettext_lazy("Zone"))
    records = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Record"))
    pre_roll_s = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=300,
        label=gettext_lazy("Seconds before"),
        help_text=gettext_lazy("Empty: as the stream says."),
    )
    post_roll_s = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=300,
        label=gettext_lazy("Seconds after"),
        help_text=gettext_lazy("Empty: as the stream says."),
    )
    cooldown_s = forms.FloatField(
        min_value=0, max_value=86400, initial=0, label=gettext_lazy("Rest after firing (seconds)")
    )
    targets = forms.ModelMultipleChoiceField(
        Target.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Tell these targets"),
    )

    def __init__(self, *args: Any, actor: Actor, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Camera.objects.filter(account=account).order_by("number", "id")
        # They are declared above; the mapping of fields has forgotten their types.
        cameras = cast("forms.ModelMultipleChoiceField[Camera]", self.fields["cameras"])
        labels = cast("forms.MultipleChoiceField", self.fields["labels"])
        cameras.queryset = visible(actor, Action.EDIT_RULES, own, camera_path="id")
        targets = cast("forms.ModelMultipleChoiceField[Target]", self.fields["targets"])
        offered = visible_targets(actor).filter(account=account, owner_kind="")
        targets.queryset = offered.order_by("name", "id")
        if not targets.queryset.exists():
            del self.fields["targets"]
        labels.choices = [(label, label) for label in _label_choices(account, self.initial.get("labels", ()))]

    def clean_polygon(self) -> list[Any]:
        """Return the points, or say what is wrong with them."""
        text = self.cleaned_data["polygon"] or "[]"
        try:
            points = json.loads(text)
        except (ValueError, RecursionError):
            raise forms.ValidationError(_("The zone is not a list of points.")) from None
        if not isinstance(points, list):
            raise forms.ValidationError(_("The zone is not a list of points."))
        return points

    def _condition(
        self, kind: str, low: float | None, high: float | None, line: str, direction: str
    ) -> dict[str, Any]:
        """Return the condition as the services take it; they say what is wrong with it."""
        match kind:
            case ConditionKind.LINE:
                return {"kind": kind, "points": _line_points(line), "direction": direction or Direction.ANY}
            case ConditionKind.DWELL | ConditionKind.STATIONARY:
                return {"kind": kind, "seconds": low}
            case ConditionKind.COUNT:
                return {"kind": kind, "at_least": low, "at_most": high}
            case ConditionKind.SPEED:
                return {"kind": kind, "at_least_kmh": low, "at_most_kmh": high}
        return {}

    def clean(self) -> dict[str, Any]:
        """Ask for a camera, unless the rule is about all of them, and put the condition together."""
        values = self.cleaned_data
        parts = {name: values.pop(f"condition_{name}", None) for name in _CONDITION_PARTS}
        values["condition"] = self._condition(**parts)
        if values.get("all_cameras"):
            values["cameras"] = []
        elif "cameras" not in self.errors and not values.get("cameras"):
            self.add_error("cameras", _("Choose at least one camera, or all of them."))
        return values


def initial_values(rule: Rule) -> dict[str, Any]:
    """Return a rule as its form shows it."""
    initial = {name: _plain(getattr(rule, name)) for name in _PLAIN_FIELDS} | _shown_condition(rule.condition)
    return {**initial, "cameras": rule.cameras.all(), "polygon": json.dumps(rule.polygon)}


def _line_points(text: str) -> list[list[float]]:
    """Return points written as percents, `10,50 90,50`; none where they are not."""
    try:
        return [[float(side) / 100 for side in point.split(",")] for point in text.split()]
    except ValueError:
        return []


def _shown_condition(condition: dict[str, Any]) -> dict[str, Any]:
    values = {name.removesuffix("_kmh"): value for name, value in condition.items()}
    shown = {
        "kind": values.get("kind", ""),
        "low": _plain(values.get("seconds", values.get("at_least"))),
        "high": _plain(values.get("at_most")),
        "line": " ".join(f"{100 * x:g},{100 * y:g}" for x, y in values.get("points", ())),
        "direction": values.get("direction", ""),
    }
    return {f"condition_{name}": value for name, value in shown.items()}


def _plain(value: Any) -> Any:
    """Return a whole number without its `.0`."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _label_choices(account: Account, chosen: list[str]) -> list[str]:
    """Return the labels that this account's analytics can find, the common ones first."""
    found: set[str] = set()
    versions = ModelVersion.objects.filter(analytics__account=account).distinct()
    for labels in versions.values_list("labels", flat=True):
        found.update(label.lower() for label in labels)
    return [*_COMMON_LABELS, *sorted((found | set(chosen)) - set(_COMMON_LABELS))]
