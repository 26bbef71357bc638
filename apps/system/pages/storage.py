"""The storage page: volumes with their state and room, and how long footage is kept."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Action, Actor, actor_of, visible
from apps.accounts.models import Account
from apps.core.exceptions import OmmaError
from apps.recordings import policies
from apps.recordings.models import RetentionPolicy
from apps.system.pages.form_errors import show_error
from apps.system.pages.page_access import accounts_with
from apps.system.pages.policy_form import PolicyForm, PolicyWords, policy_words
from apps.system.pages.system_tabs import system_tabs
from apps.system.pages.volume_lines import volume_lines
from apps.system.selectors import may_see_system


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """How long footage of something is kept, in words."""

    policy: RetentionPolicy
    about: str
    words: PolicyWords


@dataclass(frozen=True, slots=True)
class AccountPolicies:
    """An account's limits, its own first; without any of its own the defaults hold."""

    account: Account
    rows: list[PolicyRow]
    defaults: PolicyWords | None


@require_safe
@login_required
def storage(request: HttpRequest) -> HttpResponse:
    """Show where footage is kept and for how long."""
    actor = actor_of(request)
    accounts = accounts_with(actor, Action.MANAGE_RETENTION)
    if not accounts and not may_see_system(actor):
        raise PermissionDenied
    context = {
        "volumes": volume_lines(),
        "may_change_volumes": actor.is_superuser,
        "accounts": _policies(actor, accounts),
        "tabs": system_tabs(actor),
    }
    return render(request, "app/storage.html", context)


def _policies(actor: Actor, accounts: list[Account]) -> list[AccountPolicies]:
    found: dict[UUID, list[RetentionPolicy]] = {account.pk: [] for account in accounts}
    rows = RetentionPolicy.objects.select_related("camera", "stream")
    for policy in visible(actor, Action.MANAGE_RETENTION, rows).order_by(
        "camera__number", "stream__name", "id"
    ):
        found.setdefault(policy.account_id, []).append(policy)
    return [_account_policies(account, found[account.pk]) for account in accounts]


def _account_policies(account: Account, rows: list[RetentionPolicy]) -> AccountPolicies:
    ordered = sorted(rows, key=lambda one: one.camera_id is not None)
    has_own = any(one.camera_id is None for one in ordered)
    return AccountPolicies(
        account=account,
        rows=[PolicyRow(one, _about(one), policy_words(one)) for one in ordered],
        defaults=None if has_own else policy_words(RetentionPolicy(account=account)),
    )


def _about(policy: RetentionPolicy) -> str:
    if policy.camera is None:
        return _("All cameras")
    if policy.stream is None:
        return policy.camera.name
    return f"{policy.camera.name}, {policy.stream.name}"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def policy_add(request: HttpRequest) -> HttpResponse:
    """Set limits for an account or one of its cameras."""
    actor = actor_of(request)
    accounts = accounts_with(actor, Action.MANAGE_RETENTION)
    if not accounts:
        raise PermissionDenied
    account = next((one for one in accounts if str(one.pk) == request.GET.get("account")), accounts[0])
    data = request.POST if request.method == "POST" else None
    form = PolicyForm(data, policy=RetentionPolicy(account=account), actor=actor)
    if data is not None and form.is_valid():
        try:
            policies.create_policy(
                actor=actor, account=account, camera=form.cleaned_data["camera"], **form.limits()
            )
        except (OmmaError, ValidationError) as error:
            show_error(form, error)
        else:
            messages.success(request, _("The limits are set; they hold from the next clean-up on."))
            return redirect("pages:storage")
    context = {"form": form, "form_title": _("Keep footage of a camera differently")}
    return render(request, "app/policy.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def policy(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """Change limits."""
    actor = actor_of(request)
    row = _policy_or_404(actor, policy_id)
    form = PolicyForm(request.POST if request.method == "POST" else None, policy=row, actor=actor)
    if request.method == "POST" and form.is_valid():
        try:
            policies.update_policy(actor=actor, policy=row, **form.limits())
        except (OmmaError, ValidationError) as error:
            show_error(form, error)
        else:
            messages.success(request, _("The limits are set; they hold from the next clean-up on."))
            return redirect("pages:storage")
    context = {"form": form, "form_title": _about(row), "policy": row}
    return render(request, "app/policy.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def policy_delete(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """Go back to the account's limits, or to the defaults."""
    actor = actor_of(request)
    policies.delete_policy(actor=actor, policy=_policy_or_404(actor, policy_id))
    messages.success(request, _("These limits are gone; the general ones hold."))
    return redirect("pages:storage")


def _policy_or_404(actor: Actor, policy_id: UUID) -> RetentionPolicy:
    rows = RetentionPolicy.objects.select_related("account", "camera", "stream")
    row = visible(actor, Action.MANAGE_RETENTION, rows).filter(pk=policy_id).first()
    if row is None:
        raise Http404
    return row
