"""Limits of retention as people read and enter them: days and gigabytes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from django import forms
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy

from apps.accounts.access import Action, Actor, visible
from apps.cameras.models import Camera
from apps.recordings.models import RetentionPolicy
from apps.recordings.policies import MAX_MOTION_HOURS
from apps.system.pages.durations import duration_words

_GIGABYTE = 1 << 30
_MOST_DAYS = 3650
_AGES = {
    "max_age_hours": "all",
    "motion_age_hours": "motion",
    "event_age_hours": "events",
    "archive_after_hours": "archive",
}


@dataclass(frozen=True, slots=True)
class PolicyWords:
    """A policy's limits in words; empty where there is none."""

    all: str
    motion: str
    events: str
    archive: str
    size: str


def policy_words(policy: RetentionPolicy) -> PolicyWords:
    """Return limits in words."""
    ages = {name: _age(getattr(policy, field)) for field, name in _AGES.items()}
    return PolicyWords(size=str(filesizeformat(policy.max_bytes)), **ages)


def _age(hours: int | None) -> str:
    if hours is None:
        return ""
    days, rest = divmod(hours, 24)
    return f"{days} d" if days and not rest else duration_words(timedelta(hours=hours))


class DaysField(forms.FloatField):
    """A length in days; halves and less are fine."""

    def __init__(self, *, most: int = _MOST_DAYS, **options: Any) -> None:
        super().__init__(
            min_value=1 / 24, max_value=most, widget=forms.NumberInput(attrs={"step": "any"}), **options
        )


class PolicyForm(forms.Form):
    """How long footage is kept, and how much of it."""

    camera = forms.ModelChoiceField(
        Camera.objects.none(),
        required=False,
        label=gettext_lazy("Camera"),
        empty_label=gettext_lazy("all that have no limits of their own"),
    )
    max_age_hours = DaysField(label=gettext_lazy("Keep everything for (days)"))
    motion_age_hours = DaysField(
        most=MAX_MOTION_HOURS // 24,
        required=False,
        label=gettext_lazy("Keep what moved for (days)"),
        help_text=gettext_lazy("Empty: as everything. It may be kept longer, not shorter."),
    )
    event_age_hours = DaysField(
        required=False,
        label=gettext_lazy("Keep recordings for (days)"),
        help_text=gettext_lazy("Empty: as what moved. Held recordings stay until they are released."),
    )
    max_bytes = forms.FloatField(
        min_value=0.01,
        max_value=(1 << 63) / _GIGABYTE / 2,
        label=gettext_lazy("Keep at most (GB)"),
        help_text=gettext_lazy("Of one camera, or of all that have no limits of their own together."),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    archive_after_hours = DaysField(
        required=False,
        label=gettext_lazy("Move to the archive after (days)"),
        help_text=gettext_lazy("Empty: it stays where it was recorded. An archive is a volume of its own."),
    )

    def __init__(self, data: Any, *, policy: RetentionPolicy, actor: Actor) -> None:
        initial: dict[str, Any] = {"max_bytes": round(policy.max_bytes / _GIGABYTE, 2)}
        for field in _AGES:
            hours = getattr(policy, field)
            initial[field] = None if hours is None else round(hours / 24, 3)
        super().__init__(data, initial=initial)
        if policy.pk and not policy._state.adding:
            del self.fields["camera"]
            return
        cameras = cast("forms.ModelChoiceField[Camera]", self.fields["camera"])  # declared above
        own = Camera.objects.filter(account=policy.account).order_by("number", "id")
        cameras.queryset = visible(actor, Action.MANAGE_RETENTION, own, camera_path="id")

    def limits(self) -> dict[str, Any]:
        """Return what was entered, as policies take it."""
        values = self.cleaned_data
        ages = {name: None if values[name] is None else max(1, round(values[name] * 24)) for name in _AGES}
        return {**ages, "max_bytes": round(values["max_bytes"] * _GIGABYTE)}
