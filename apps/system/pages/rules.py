"""Pages of rules: the list, and a form with a zone drawn on the picture."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Action, Actor, Resource, actor_of, may, require
from apps.accounts.models import Account
from apps.alerts import rule_targets
from apps.core.exceptions import OmmaError
from apps.rules import services
from apps.rules.models import Rule
from apps.streams.models import Stream
from apps.system.pages.form_errors import show_error
from apps.system.pages.page_access import accounts_with
from apps.system.pages.rule_form import RuleForm, initial_values


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
        rule.may_edit = may(actor, Action.EDIT_RULES, _resource(rule)).allowed  # type: ignore[attr-defined]  # same
    context = {"rules": rows, "accounts": accounts_with(actor, Action.EDIT_RULES)}
    return render(request, "app/rules.html", context)


def _resource(rule: Rule) -> Resource:
    """Return a rule as what is asked for, from the cameras that were fetched with it."""
    return Resource(rule.account_id, frozenset(camera.pk for camera in rule.cameras.all()))


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
    account = _account_or_404(request, actor)
    data = request.POST if request.method == "POST" else None
    form = RuleForm(data, actor=actor, account=account, initial={"labels": ["person"]})
    if form.is_valid():
        try:
            _save(actor, form, account, None)
        except OmmaError as error:
            show_error(form, error, {"condition": "condition_kind"})
        else:
            messages.success(request, _("The rule is saved."))
            return redirect("pages:rules")
    return _rule_page(request, form, None)


def _account_or_404(request: HttpRequest, actor: Actor) -> Account:
    """Return the account that `?account=` names, or the first in which the actor may make rules."""
    wanted = request.GET.get("account")
    for account in accounts_with(actor, Action.EDIT_RULES):
        if wanted in {None, str(account.id)}:
            return account
    raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Change a rule."""
    actor = actor_of(request)
    row = _rule_or_404(actor, rule_id)
    data = request.POST if request.method == "POST" else None
    initial = {**initial_values(row), "targets": rule_targets.targets_of_rule(actor, row)}
    form = RuleForm(data, actor=actor, account=row.account, initial=initial)
    if form.is_valid():
        try:
            _save(actor, form, row.account, row)
        except OmmaError as error:
            show_error(form, error, {"condition": "condition_kind"})
        else:
            messages.success(request, _("The rule is saved."))
            return redirect("pages:rules")
    return _rule_page(request, form, row)


@transaction.atomic
def _save(actor: Actor, form: RuleForm, account: Account, row: Rule | None) -> None:
    """Make or change the rule, and say whom it tells."""
    values = dict(form.cleaned_data)
    targets = values.pop("targets", None)
    if row is None:
        row = services.create_rule(actor=actor, account=account, **values)
    else:
        row = services.update_rule(actor=actor, rule=row, **values)
    if targets is not None:
        rule_targets.set_rule_targets(actor=actor, rule=row, targets=targets)


def _rule_page(request: HttpRequest, form: RuleForm, row: Rule | None) -> HttpResponse:
    offered = form.fields["cameras"].queryset  # type: ignore[attr-defined]  # a field with choices from the database
    own = list(row.cameras.values_list("pk", flat=True)) if row else []
    cameras = offered.filter(pk__in=own) if own else offered
    stream = Stream.objects.filter(camera__in=cameras).order_by("camera__number", "name").first()
    context = {
        "form": form,
        "form_title": row.name if row else _("Add a rule"),
        "rule": row,
        "picture_stream": stream,
    }
    return render(request, "app/rule.html", context, status=422 if form.errors else 200)


def _rule_or_404(actor: Actor, rule_id: UUID) -> Rule:
    row = services.visible_rules(actor).select_related("account").filter(pk=rule_id).first()
    if row is None:
        raise Http404
    require(actor, Action.EDIT_RULES, services.resource_of(row))
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
