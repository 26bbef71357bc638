"""The search form of the recordings page; what it asks for, the API's filter finds."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError

from apps.accounts.access import Action, Actor, visible
from apps.cameras.models import Camera
from apps.recordings.api.filters import RecordingFilter
from apps.recordings.models import CauseKind, Recording
from apps.rules.models import Rule
from apps.rules.services import visible_rules
from apps.system.pages.moments import MomentInput

_ORDERS = {
    "": ("-start", "-id"),
    "oldest": ("start", "id"),
    "confidence": ("-confidence", "-id"),
    "name": ("name", "id"),
}
_PASSED_ON = ("search", "min_confidence", "since", "until", "cause_kind", "track")


class RecordingFilterForm(forms.Form):
    """Everything that recordings can be found by."""

    search = forms.CharField(
        max_length=200,
        required=False,
        label=gettext_lazy("Search"),
        widget=forms.TextInput(attrs={"type": "search", "enterkeyhint": "search"}),
    )
    camera = forms.ModelChoiceField(
        Camera.objects.none(), required=False, label=gettext_lazy("Camera"), empty_label=gettext_lazy("all")
    )
    label = forms.CharField(max_length=64, required=False, label=gettext_lazy("Seen"))
    min_confidence = forms.FloatField(
        min_value=0,
        max_value=1,
        required=False,
        label=gettext_lazy("Least confidence"),
        widget=forms.NumberInput(attrs={"step": "0.05", "placeholder": gettext_lazy("0 to 1")}),
    )
    rule = forms.ModelChoiceField(
        Rule.objects.none(), required=False, label=gettext_lazy("Rule"), empty_label=gettext_lazy("all")
    )
    cause_kind = forms.ChoiceField(
        choices=[
            ("", gettext_lazy("anybody")),
            (CauseKind.RULE, gettext_lazy("a rule")),
            (CauseKind.USER, gettext_lazy("a person")),
            (CauseKind.DIALECT, gettext_lazy("another system")),
        ],
        required=False,
        label=gettext_lazy("Started by"),
    )
    since = forms.DateTimeField(required=False, label=gettext_lazy("From"), widget=MomentInput)
    until = forms.DateTimeField(required=False, label=gettext_lazy("To"), widget=MomentInput)
    sort = forms.ChoiceField(
        choices=[
            ("", gettext_lazy("newest first")),
            ("oldest", gettext_lazy("oldest first")),
            ("confidence", gettext_lazy("surest first")),
            ("name", gettext_lazy("by name")),
        ],
        required=False,
        label=gettext_lazy("Order"),
    )
    held = forms.BooleanField(required=False, label=gettext_lazy("Held only"))
    track = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, *, actor: Actor) -> None:
        super().__init__(data)
        cameras = cast(
            "forms.ModelChoiceField[Camera]", self.fields["camera"]
        )  # declared above, and so is `rule`
        cameras.queryset = visible(
            actor, Action.VIEW, Camera.objects.order_by("name", "id"), camera_path="id"
        )
        rules = cast("forms.ModelChoiceField[Rule]", self.fields["rule"])
        rules.queryset = visible_rules(actor).order_by("name", "id")

    @property
    def is_filtered(self) -> bool:
        values = getattr(self, "cleaned_data", {})
        return any(value for name, value in values.items() if name != "sort")

    @property
    def order(self) -> tuple[str, str]:
        return _ORDERS[self.cleaned_data.get("sort", "") if self.is_valid() else ""]


def filtered_recordings(
    request: HttpRequest, form: RecordingFilterForm, rows: QuerySet[Recording]
) -> QuerySet[Recording]:
    """Return what the form asks for; what the filter refuses becomes the form's error."""
    if not form.is_valid():
        return rows.none()
    values = form.cleaned_data
    wanted: dict[str, Any] = {
        name: _text(values[name]) for name in _PASSED_ON if values[name] not in {None, ""}
    }
    for name in ("camera", "rule"):
        if values[name]:
            wanted[name] = [str(values[name].pk)] if name == "camera" else str(values[name].pk)
    if values["label"]:
        wanted["label"] = [values["label"].strip()]
    if values["held"]:
        wanted["held"] = "true"
    found = RecordingFilter(_query(wanted), queryset=rows, request=request)
    try:
        return found.qs if found.is_valid() else _refused(form, found.errors, rows)
    except ValidationError as error:
        return _refused(form, cast("dict[str, Any]", error.detail), rows)


def _refused(form: forms.Form, errors: Any, rows: QuerySet[Recording]) -> QuerySet[Recording]:
    for name, texts in errors.items():
        for text in texts:
            form.add_error(name if name in form.fields else None, str(text))
    return rows.none()


def _text(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _query(values: dict[str, Any]) -> Any:
    """Return values as a query that was sent."""
    query = QueryDict(mutable=True)
    for name, value in values.items():
        query.setlist(name, value if isinstance(value, list) else [value])
    return query
