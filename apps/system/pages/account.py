"""One's own login: the password, and tokens for programs."""

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts import password_services, token_services
from apps.accounts.access import Actor, actor_of
from apps.accounts.models import ApiToken, Member, Role, User
from apps.core.exceptions import OmmaError
from apps.system.pages.form_errors import show_error

_LIFETIMES = [
    ("30", gettext_lazy("30 days")),
    ("365", gettext_lazy("a year")),
    ("", gettext_lazy("until it is revoked")),
]


class PasswordForm(forms.Form):
    """One's password, the old and the new one."""

    old_password = forms.CharField(
        max_length=200,
        strip=False,
        label=gettext_lazy("Password now"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new_password = forms.CharField(
        max_length=200,
        strip=False,
        label=gettext_lazy("New password"),
        help_text=gettext_lazy(
            "At least 12 characters. Other places where you are logged in, and tokens, end."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class MembershipChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # it has no parameters at run time
    """One's memberships, by the names of the accounts."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.account)


class TokenForm(forms.Form):
    """A new token for a program."""

    member = MembershipChoice(queryset=Member.objects.none(), label=gettext_lazy("Account"))
    name = forms.CharField(
        max_length=120, label=gettext_lazy("Name"), help_text=gettext_lazy("What it is for.")
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER, label=gettext_lazy("May do"))
    days = forms.ChoiceField(
        choices=_LIFETIMES, initial="365", required=False, label=gettext_lazy("Valid for")
    )

    def __init__(self, data: Any, *, memberships: list[Member]) -> None:
        super().__init__(data)
        self._only = memberships[0] if len(memberships) == 1 else None
        if self._only is not None:
            del self.fields["member"]
            return
        field = cast("forms.ModelChoiceField[Member]", self.fields["member"])  # declared above
        field.queryset = Member.objects.select_related("account").filter(
            pk__in=[one.pk for one in memberships]
        )

    def values(self) -> dict[str, Any]:
        """Return what was entered, as `create_token` takes it."""
        entered = self.cleaned_data
        days = entered["days"]
        return {
            "member": self._only or entered["member"],
            "name": entered["name"],
            "role": entered["role"],
            "expires_at": timezone.now() + timedelta(days=int(days)) if days else None,
        }


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Show one's login and tokens."""
    actor = actor_of(request)
    return _page(request, actor)


def _page(request: HttpRequest, actor: Actor, **forms_sent: Any) -> HttpResponse:
    memberships = _memberships(actor)
    tokens = ApiToken.objects.filter(member__in=memberships).select_related("member__account")
    context = {
        "memberships": memberships,
        "password_form": PasswordForm(),
        "token_form": TokenForm(None, memberships=memberships) if memberships else None,
        "tokens": tokens.order_by("revoked_at", "-created_at"),
        "now": timezone.now(),
        "new_token": "",
        **forms_sent,
    }
    has_errors = any(form.errors for form in forms_sent.values() if isinstance(form, forms.Form))
    response = render(request, "app/account.html", context, status=422 if has_errors else 200)
    response["Cache-Control"] = "no-store"  # a token's text may be on it
    return response


def _memberships(actor: Actor) -> list[Member]:
    own = Member.objects.filter(pk__in=[one.member_id for one in actor.memberships])
    return list(own.select_related("account", "user").order_by("account__name", "id"))


@require_POST
@login_required
def change_password(request: HttpRequest) -> HttpResponse:
    """Change one's password; this browser stays logged in."""
    actor = actor_of(request)
    form = PasswordForm(request.POST)
    user = cast("User", request.user)  # the page is for people
    if form.is_valid():
        try:
            password_services.change_own_password(
                actor=actor, user=user, now=timezone.now(), **form.cleaned_data
            )
        except OmmaError as error:
            show_error(form, error)
        else:
            update_session_auth_hash(request, user)
            messages.success(request, _("The password is changed; other places are logged out."))
            return redirect("pages:account")
    return _page(request, actor, password_form=form)


@require_POST
@login_required
def token_add(request: HttpRequest) -> HttpResponse:
    """Make a token and show its text, this once."""
    actor = actor_of(request)
    memberships = _memberships(actor)
    if not memberships:
        raise Http404
    form = TokenForm(request.POST, memberships=memberships)
    if form.is_valid():
        try:
            _token, text = token_services.create_token(actor=actor, **form.values())
        except (OmmaError, ValidationError) as error:
            show_error(form, error)
        else:
            return _page(request, actor, new_token=text)
    return _page(request, actor, token_form=form)


@require_POST
@login_required
def token_revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one of one's tokens."""
    actor = actor_of(request)
    own = ApiToken.objects.select_related("member__user").filter(
        pk=token_id, member_id__in=[one.member_id for one in actor.memberships]
    )
    token = own.first()
    if token is None:
        raise Http404
    token_services.revoke_token(actor=actor, token=token)
    messages.success(request, _("The token is revoked."))
    return redirect("pages:account")
