"""Pages of notifications: where they go, how that goes, and those that could not be delivered."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Action, Actor, actor_of, require, visible
from apps.accounts.models import Account
from apps.alerts import resending, services
from apps.alerts.models import Delivery, DeliveryState, Target
from apps.alerts.pauses import Circuit, circuit_of
from apps.core.exceptions import ConflictError, OmmaError
from apps.system.pages.form_errors import show_error
from apps.system.pages.page_access import accounts_with, may_anywhere
from apps.system.pages.target_form import TargetForm

_DEAD_SHOWN = 50
_CIRCUIT_WORDS = {
    Circuit.CLOSED: (gettext_lazy("works"), "live"),
    Circuit.TROUBLED: (gettext_lazy("fails"), "reconnecting"),
    Circuit.OPEN: (gettext_lazy("fails again and again"), "failed"),
}


@require_safe
@login_required
def targets(request: HttpRequest) -> HttpResponse:
    """List the targets, and what could not be delivered."""
    actor = actor_of(request)
    rows = list(services.visible_targets(actor).select_related("state").order_by("name", "id"))
    if not rows and not may_anywhere(actor, Action.EDIT_RULES):
        raise PermissionDenied
    for row in rows:
        words, look = _CIRCUIT_WORDS[circuit_of(row.state.failures)]
        row.circuit_words, row.circuit_look = words, look  # type: ignore[attr-defined]  # for the template
    dead = visible(actor, Action.EDIT_RULES, Delivery.objects.filter(state=DeliveryState.DEAD))
    context = {
        "targets": rows,
        "dead": dead.select_related("target").order_by("-created_at", "-id")[:_DEAD_SHOWN],
        "accounts": accounts_with(actor, Action.EDIT_RULES),
    }
    return render(request, "app/targets.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def target_add(request: HttpRequest) -> HttpResponse:
    """Add a target; its signing key is shown once, on the page that follows."""
    actor = actor_of(request)
    account = _account_or_404(request, actor)
    form = TargetForm(request.POST if request.method == "POST" else None, actor=actor, account=account)
    if form.is_valid():
        try:
            row, key = services.create_target(actor=actor, account=account, **form.values())
        except OmmaError as error:
            show_error(form, error, {"authorization": "token"})
        else:
            messages.success(request, _("%(name)s is added.") % {"name": row.name})
            return _target_page(request, TargetForm(None, actor=actor, account=account, target=row), row, key)
    return _target_page(request, form, None)


def _account_or_404(request: HttpRequest, actor: Actor) -> Account:
    wanted = request.GET.get("account")
    for account in accounts_with(actor, Action.EDIT_RULES):
        if wanted in {None, str(account.id)}:
            return account
    raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def target(request: HttpRequest, target_id: UUID) -> HttpResponse:
    """Change a target."""
    actor = actor_of(request)
    row = _target_or_404(actor, target_id)
    data = request.POST if request.method == "POST" else None
    form = TargetForm(data, actor=actor, account=row.account, target=row)
    if form.is_valid():
        try:
            services.update_target(actor=actor, target=row, **form.values())
        except OmmaError as error:
            show_error(form, error, {"authorization": "token"})
        else:
            messages.success(request, _("Saved."))
            return redirect("pages:targets")
    return _target_page(request, form, row)


@require_POST
@login_required
def target_key(request: HttpRequest, target_id: UUID) -> HttpResponse:
    """Make a new signing key, and show it this once."""
    actor = actor_of(request)
    row = _target_or_404(actor, target_id)
    key = services.rotate_key(actor=actor, target=row)
    return _target_page(request, TargetForm(None, actor=actor, account=row.account, target=row), row, key)


@require_POST
@login_required
def target_test(request: HttpRequest, target_id: UUID) -> HttpResponse:
    """Send a test."""
    actor = actor_of(request)
    row = _target_or_404(actor, target_id)
    try:
        services.test_target(actor=actor, target=row)
    except ConflictError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, _("A test is on its way to %(name)s.") % {"name": row.name})
    return redirect("pages:targets")


@require_POST
@login_required
def target_resend(request: HttpRequest, target_id: UUID) -> HttpResponse:
    """Send all that could not be delivered once more."""
    actor = actor_of(request)
    count = resending.resend_all(actor=actor, target=_target_or_404(actor, target_id))
    text = ngettext("%(count)d is sent again.", "%(count)d are sent again.", count)
    messages.success(request, text % {"count": count})
    return redirect("pages:targets")


@require_POST
@login_required
def target_delete(request: HttpRequest, target_id: UUID) -> HttpResponse:
    """Delete a target, with what waits for it."""
    actor = actor_of(request)
    services.delete_target(actor=actor, target=_target_or_404(actor, target_id))
    messages.success(request, _("The target is deleted."))
    return redirect("pages:targets")


def _target_or_404(actor: Actor, target_id: UUID) -> Target:
    rows = services.visible_targets(actor).filter(owner_kind="").select_related("account", "state")
    row = rows.filter(pk=target_id).first()
    if row is None:
        raise Http404
    require(actor, Action.EDIT_RULES, services.resource_of(row))
    return row


def _target_page(request: HttpRequest, form: TargetForm, row: Target | None, key: str = "") -> HttpResponse:
    context = {
        "form": form,
        "form_title": row.name if row else _("Add a target"),
        "target": row,
        "signing_key": key,
    }
    answer = render(request, "app/target.html", context, status=422 if form.errors else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer
