"""Pages of rules: the list, and a form with a zone drawn on the picture."""

import json
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Action, Actor, Resource, actor_of, require, visible
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.catalog.models import ModelVersion
from apps.core.exceptions import OmmaError
from apps.rules import services
from apps.rules.models import Rule
from apps.streams.models import Stream
from apps.system.pages.form_errors import show_error
from apps.system.pages.page_access import accounts_with, may_anywhere

_COMMON_LABELS = ("person", "motion", "face")


class RuleForm(forms.Form):
    """One rule as people edit it."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    is_enabled = forms.BooleanField(required=False, initial=True, label=gettext_lazy("On"))
    labels = forms.MultipleChoiceField(
        choices=(), widget=forms.CheckboxSelectMultiple, label=gettext_lazy("What is seen")
    )
    cameras = forms.ModelMultipleChoiceField(
        Camera.objects.none(), widget=forms.CheckboxSelectMultiple, label=gettext_lazy("On these cameras")
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
        self.fields["cameras"].queryset = visible(actor, Action.EDIT_RULES, own, camera_path="id")
        chosen = (self.initial or {}).get("labels", [])
        self.fields["labels"].choices = [(label, label) for label in _label_choices(account, chosen)]

    def clean_polygon(self) -> list[Any]:
        """Return the points, or say what is wrong with them."""
        text = self.cleaned_data["polygon"] or "[]"
        try:
            points = json.loads(text)
        except json.JSONDecodeError:
            raise forms.ValidationError(_("The zone is not a list of points.")) from None
        if not isinstance(points, list):
            raise forms.ValidationError(_("The zone is not a list of points."))
        return points


def _label_choices(account: Account, chosen: list[str]) -> list[str]:
    """Return the labels that this account's analytics can find, the common ones first."""
    found: set[str] = set()
    versions = ModelVersion.objects.filter(analytics__account=account).distinct()
    for labels in versions.values_list("labels", flat=True):
        found.update(labels)
    return [*_COMMON_LABELS, *sorted((found | set(chosen)) - set(_COMMON_LABELS))]


@require_safe
@login_required
def rules(request: HttpRequest) -> HttpResponse:
    """List the rules."""
    actor = actor_of(request)
    rows = list(
        services.visible_rules(actor)
        .annotate(last_fired=Max("firings__at"))
        .prefetch_related("cameras")
        .order_by("name", "id")
    )
    for rule in rows:
        rule.where_words = _where_words(rule)  # type: ignore[attr-defined]  # for the template
    context = {"rules": rows, "may_edit": may_anywhere(actor, Action.EDIT_RULES)}
    return render(request, "app/rules.html", context)


def _where_words(rule: Rule) -> str:
    if rule.all_cameras:
        return _("all cameras")
    names = [camera.name for camera in rule.cameras.all()]
    if len(names) <= 2:
        return ", ".join(names)
    return ngettext("%(count)d camera", "%(count)d cameras", len(names)) % {"count": len(names)}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def rule_add(request: HttpRequest) -> HttpResponse:
    """Add a rule."""
    actor = actor_of(request)
    accounts = accounts_with(actor, Action.EDIT_RULES)
    if not accounts:
        raise Http404
    form = RuleForm(request.POST or None, actor=actor, account=accounts[0], initial={"labels": ["person"]})
    if request.method == "POST" and form.is_valid():
        try:
            services.create_rule(actor=actor, account=accounts[0], **form.cleaned_data)
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("The rule is saved."))
            return redirect("pages:rules")
    return _rule_page(request, form, _("Add a rule"), None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Change a rule."""
    actor = actor_of(request)
    row = _rule_or_404(actor, rule_id)
    form = RuleForm(request.POST or None, actor=actor, account=row.account, initial=_initial(row))
    if request.method == "POST" and form.is_valid():
        try:
            services.update_rule(actor=actor, rule=row, **form.cleaned_data)
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("The rule is saved."))
            return redirect("pages:rules")
    return _rule_page(request, form, row.name, row)


def _initial(row: Rule) -> dict[str, Any]:
    names = (
        "name",
        "is_enabled",
        "labels",
        "min_confidence",
        "min_duration_s",
        "records",
        "pre_roll_s",
        "post_roll_s",
        "cooldown_s",
    )
    initial = {name: getattr(row, name) for name in names}
    return {**initial, "cameras": row.cameras.all(), "polygon": json.dumps(row.polygon)}


def _rule_page(request: HttpRequest, form: RuleForm, title: str, row: Rule | None) -> HttpResponse:
    cameras = row.cameras.all() if row else form.fields["cameras"].queryset  # type: ignore[attr-defined]
    stream = Stream.objects.filter(camera__in=cameras).order_by("camera__number", "name").first()
    context = {
        "form": form,
        "form_title": title,
        "rule": row,
        "picture_stream_id": stream.id if stream else None,
    }
    return render(request, "app/rule.html", context, status=422 if form.errors else 200)


def _rule_or_404(actor: Actor, rule_id: UUID) -> Rule:
    row = services.visible_rules(actor).filter(pk=rule_id).first()
    if row is None:
        raise Http404
    cameras = frozenset(row.cameras.values_list("pk", flat=True))
    require(actor, Action.EDIT_RULES, Resource(account_id=row.account_id, camera_ids=cameras))
    return row


@require_POST
@login_required
def rule_delete(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Delete a rule; its recordings stay."""
    actor = actor_of(request)
    row = _rule_or_404(actor, rule_id)
    services.delete_rule(actor=actor, rule=row)
    messages.success(request, _("The rule is deleted."))
    return redirect("pages:rules")
