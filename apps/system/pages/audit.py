"""The audit page: who did what to what, when and from where."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, actor_of, visible
from apps.core.models import AuditEntry
from apps.system.pages.moments import MomentInput
from apps.system.pages.page_access import may_anywhere
from apps.system.pages.paging import cursor_page
from apps.system.pages.system_tabs import system_tabs

_PAGE_SIZE = 50
_MOST_DETAIL = 200  # characters
_KINDS = {
    "account": gettext_lazy("accounts"),
    "analytic": gettext_lazy("analytics"),
    "camera": gettext_lazy("cameras"),
    "export": gettext_lazy("exports"),
    "job": gettext_lazy("periodic jobs"),
    "member": gettext_lazy("people"),
    "model": gettext_lazy("models"),
    "recording": gettext_lazy("recordings"),
    "retention_policy": gettext_lazy("limits of storage"),
    "rule": gettext_lazy("rules"),
    "stream": gettext_lazy("streams"),
    "token": gettext_lazy("tokens"),
    "user": gettext_lazy("logins and passwords"),
    "volume": gettext_lazy("volumes"),
}
_VERBS = {
    "created": gettext_lazy("added"),
    "updated": gettext_lazy("changed"),
    "deleted": gettext_lazy("removed"),
}


class AuditFilterForm(forms.Form):
    """What entries can be found by."""

    search = forms.CharField(
        max_length=100,
        required=False,
        label=gettext_lazy("Who or which"),
        widget=forms.TextInput(attrs={"type": "search", "enterkeyhint": "search"}),
    )
    kind = forms.ChoiceField(
        choices=[("", gettext_lazy("everything")), *_KINDS.items()],
        required=False,
        label=gettext_lazy("About"),
    )
    since = forms.DateTimeField(required=False, label=gettext_lazy("From"), widget=MomentInput)
    until = forms.DateTimeField(required=False, label=gettext_lazy("To"), widget=MomentInput)

    @property
    def is_filtered(self) -> bool:
        return any(getattr(self, "cleaned_data", {}).values())


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry in words."""

    entry: AuditEntry
    verb: str
    detail: str


@require_safe
@login_required
def audit(request: HttpRequest) -> HttpResponse:
    """List what was done in the accounts that the actor administers, newest first."""
    actor = actor_of(request)
    if not may_anywhere(actor, Action.SEE_SYSTEM):
        raise PermissionDenied
    form = AuditFilterForm(request.GET)
    rows = visible(actor, Action.SEE_SYSTEM, AuditEntry.objects.order_by("-id"), camera_path=None)
    page = cursor_page(request, _found(form, rows), _PAGE_SIZE)
    context = {
        "page": page,
        "lines": [_line(entry) for entry in page.rows],
        "filter_form": form,
        "is_filtered": form.is_filtered,
        "tabs": system_tabs(actor),
    }
    return render(request, "app/audit.html", context, status=422 if form.errors else 200)


def _found(form: AuditFilterForm, rows: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    if not form.is_valid():
        return rows.none()
    wanted = form.cleaned_data
    if wanted["search"]:
        text = wanted["search"].strip()
        rows = rows.filter(Q(actor_name__icontains=text) | Q(subject_name__icontains=text))
    if wanted["kind"]:
        rows = rows.filter(action__startswith=f"{wanted['kind']}.")
    if wanted["since"]:
        rows = rows.filter(at__gte=wanted["since"])
    if wanted["until"]:
        rows = rows.filter(at__lt=wanted["until"])
    return rows


def _line(entry: AuditEntry) -> AuditLine:
    kind, _, verb = entry.action.partition(".")
    words = str(_VERBS.get(verb, verb.replace("_", " ")))
    return AuditLine(entry, f"{kind.replace('_', ' ')} {words}", _detail(entry.detail))


def _detail(detail: dict[str, Any]) -> str:
    """Return what else is known, short; the API has all of it."""
    parts = [f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in detail.items()]
    text = "; ".join(parts)
    return text if len(text) <= _MOST_DETAIL else f"{text[:_MOST_DETAIL]}…"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
