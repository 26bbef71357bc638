"""The people of an account: who they are, what they may do, and which cameras they see."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts import password_services, services
from apps.accounts.access import Action, Actor, actor_of, visible
from apps.accounts.models import Account, Member, Role
from apps.core.exceptions import OmmaError
from apps.system.pages.form_errors import show_error
from apps.system.pages.member_forms import MemberForm, NewMemberForm, NewPasswordForm
from apps.system.pages.page_access import accounts_with
from apps.system.pages.system_tabs import system_tabs

_ROLE_WORDS = {Role.VIEWER: "viewer", Role.OPERATOR: "operator", Role.ADMIN: "administrator"}


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person in an account, as the list shows them."""

    member: Member
    name: str
    role_words: str
    cameras_words: str
    is_self: bool


@require_safe
@login_required
def members(request: HttpRequest) -> HttpResponse:
    """List the people of the accounts that the actor administers."""
    actor = actor_of(request)
    accounts = _accounts_or_403(actor)
    rows = (
        _members(actor).select_related("account").prefetch_related("grants").order_by("user__username", "id")
    )
    context = {
        "members": [_row(actor, row) for row in rows],
        "has_several": len(accounts) > 1,
        "tabs": system_tabs(actor),
    }
    return render(request, "app/members.html", context)


def _accounts_or_403(actor: Actor) -> list[Account]:
    accounts = accounts_with(actor, Action.MANAGE_MEMBERS)
    if not accounts:
        raise PermissionDenied
    return accounts


def _members(actor: Actor) -> QuerySet[Member]:
    rows = Member.objects.select_related("user")
    return visible(actor, Action.MANAGE_MEMBERS, rows, camera_path=None)


def _row(actor: Actor, member: Member) -> MemberRow:
    count = len(member.grants.all())
    limited = ngettext("%(count)d camera or group", "%(count)d cameras or groups", count) % {"count": count}
    return MemberRow(
        member=member,
        name=member.user.get_username(),
        role_words=_(_ROLE_WORDS[Role(member.role)]),
        cameras_words=_("all cameras") if member.sees_all_cameras else limited if count else _("no camera"),
        is_self=member.user_id == actor.user_id,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def member_add(request: HttpRequest) -> HttpResponse:
    """Add somebody to an account."""
    actor = actor_of(request)
    form = NewMemberForm(request.POST if request.method == "POST" else None, accounts=_accounts_or_403(actor))
    if request.method == "POST" and form.is_valid():
        try:
            row = services.add_member(actor=actor, **form.values())
        except (OmmaError, ValidationError) as error:
            show_error(form, error)
        else:
            messages.success(request, _("%(name)s is added.") % {"name": row.user.get_username()})
            return redirect("pages:member", member_id=row.id)
    return render(request, "app/member_add.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def member(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Change somebody's role and cameras."""
    actor = actor_of(request)
    row = _member_or_404(actor, member_id)
    form = MemberForm(request.POST if request.method == "POST" else None, member=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.change_member(actor=actor, member=row, **form.values())
        except (OmmaError, ValidationError) as error:
            show_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("pages:members")
    return _member_page(request, actor, row, form, NewPasswordForm())


def _member_page(
    request: HttpRequest, actor: Actor, row: Member, form: MemberForm, password_form: NewPasswordForm
) -> HttpResponse:
    context = {
        "member": row,
        "name": row.user.get_username(),
        "is_self": row.user_id == actor.user_id,
        "form": form,
        "password_form": password_form,
    }
    status = 422 if form.errors or password_form.errors else 200
    return render(request, "app/member.html", context, status=status)


@require_POST
@login_required
def member_password(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Give somebody a new password; where they were logged in, they are not any more."""
    actor = actor_of(request)
    row = _member_or_404(actor, member_id)
    form = NewPasswordForm(request.POST)
    if form.is_valid():
        try:
            password_services.reset_password(
                actor=actor, user=row.user, new_password=form.cleaned_data["new_password"]
            )
        except OmmaError as error:
            show_error(form, error)
        else:
            words = _("%(name)s has a new password and is logged out everywhere.")
            messages.success(request, words % {"name": row.user.get_username()})
            return redirect("pages:members")
    return _member_page(request, actor, row, MemberForm(None, member=row), form)


@require_POST
@login_required
def member_remove(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Take somebody out of the account."""
    actor = actor_of(request)
    row = _member_or_404(actor, member_id)
    try:
        services.remove_member(actor=actor, member=row)
    except OmmaError as error:
        messages.error(request, error.message)
        return redirect("pages:member", member_id=member_id)
    messages.success(request, _("%(name)s is removed.") % {"name": row.user.get_username()})
    return redirect("pages:members")


def _member_or_404(actor: Actor, member_id: UUID) -> Member:
    row = _members(actor).select_related("account").filter(pk=member_id).first()
    if row is None:
        raise Http404
    return row
