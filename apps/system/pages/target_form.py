"""The form of a target of notifications."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from apps.accounts.access import Action, Actor, visible
from apps.accounts.models import Account
from apps.alerts.checks import MAX_PER_MINUTE
from apps.alerts.models import NoticeKind, Target
from apps.cameras.models import Camera

_WANTS = (
    (NoticeKind.EVENT.value, gettext_lazy("events")),
    (NoticeKind.STREAM_STATUS.value, gettext_lazy("what becomes of streams")),
    (NoticeKind.ANALYTIC_RESULT.value, gettext_lazy("what analytics count")),
    (NoticeKind.TRACK.value, gettext_lazy("objects that were followed")),
)


class TargetForm(forms.Form):
    """One target as people edit it. What is secret goes in and is not shown again."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    is_enabled = forms.BooleanField(required=False, initial=True, label=gettext_lazy("On"))
    address = forms.CharField(
        max_length=1000,
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("Begins with https://."),
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    token = forms.CharField(
        max_length=900,
        required=False,
        label=gettext_lazy("Token"),
        help_text=gettext_lazy("Sent as a bearer token, where the other side asks for one."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    all_cameras = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("About all cameras, also those that are added later")
    )
    cameras = forms.ModelMultipleChoiceField(
        Camera.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("About these cameras"),
    )
    wants = forms.MultipleChoiceField(
        choices=_WANTS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Besides rules that name it, tell it"),
    )
    per_minute = forms.IntegerField(
        min_value=1,
        max_value=MAX_PER_MINUTE,
        initial=60,
        label=gettext_lazy("At most, a minute"),
        help_text=gettext_lazy("What comes beyond is summed up in one."),
    )

    def __init__(self, data: Any, *, actor: Actor, account: Account, target: Target | None = None) -> None:
        super().__init__(data, initial=_initial(target))
        own = Camera.objects.filter(account=account).order_by("number", "id")
        cameras = cast("forms.ModelMultipleChoiceField[Camera]", self.fields["cameras"])  # declared above
        cameras.queryset = visible(actor, Action.EDIT_RULES, own, camera_path="id")
        if target is not None:
            kept = gettext_lazy("Empty: as it is.")
            for name in ("address", "token"):
                self.fields[name].required, self.fields[name].help_text = False, kept

    def values(self) -> dict[str, Any]:
        """Return what was entered, as the services take it; secrets only where something was."""
        values = dict(self.cleaned_data)
        token = values.pop("token")
        if token:
            values["authorization"] = {"type": "bearer", "token": token}
        if not values["address"]:
            del values["address"]
        if values["all_cameras"]:
            values["cameras"] = []
        return values


def _initial(target: Target | None) -> dict[str, Any]:
    if target is None:
        return {}
    names = ("name", "is_enabled", "all_cameras", "wants", "per_minute")
    return {**{name: getattr(target, name) for name in names}, "cameras": target.cameras.all()}
