"""The form of a rule."""

import json
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.access import Action, Actor, visible
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.catalog.models import ModelVersion
from apps.rules.models import Rule

_COMMON_LABELS = ("person", "motion", "face")
_PLAIN_FIELDS = (
    "name", "is_enabled", "labels", "all_cameras", "min_confidence", "min_duration_s", "records",
    "pre_roll_s", "post_roll_s", "cooldown_s",
)  # fmt: skip


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

    def __init__(self, *args: Any, actor: Actor, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Camera.objects.filter(account=account).order_by("number", "id")
        # Both are declared above; the mapping of fields has forgotten their types.
        cameras = cast("forms.ModelMultipleChoiceField[Camera]", self.fields["cameras"])
        labels = cast("forms.MultipleChoiceField", self.fields["labels"])
        cameras.queryset = visible(actor, Action.EDIT_RULES, own, camera_path="id")
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

    def clean(self) -> dict[str, Any]:
        """Ask for a camera, unless the rule is about all of them."""
        values = self.cleaned_data
        if values.get("all_cameras"):
            values["cameras"] = []
        elif "cameras" not in self.errors and not values.get("cameras"):
            self.add_error("cameras", _("Choose at least one camera, or all of them."))
        return values


def initial_values(rule: Rule) -> dict[str, Any]:
    """Return a rule as its form shows it."""
    initial = {name: _plain(getattr(rule, name)) for name in _PLAIN_FIELDS}
    return {**initial, "cameras": rule.cameras.all(), "polygon": json.dumps(rule.polygon)}


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
