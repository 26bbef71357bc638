"""Forms about people: adding one, what one may do and see, and a new password."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from apps.accounts.models import Account, Grant, GrantScope, Member, Role
from apps.accounts.services import GrantWanted
from apps.cameras.models import Camera, CameraGroup

_ROLES = [
    (Role.VIEWER, gettext_lazy("Viewer: watches and plays back")),
    (Role.OPERATOR, gettext_lazy("Operator: also records, holds and edits rules")),
    (Role.ADMIN, gettext_lazy("Administrator: also cameras, people and storage")),
]
_GRANTS = [
    ("", gettext_lazy("not at all")),
    (Role.VIEWER, gettext_lazy("watches and plays back")),
    (Role.OPERATOR, gettext_lazy("also records and edits rules")),
    (Role.ADMIN, gettext_lazy("administers")),
]
_PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class NewPasswordForm(forms.Form):
    """A password for somebody else."""

    new_password = forms.CharField(
        max_length=200,
        strip=False,
        label=gettext_lazy("New password"),
        help_text=gettext_lazy("At least 12 characters. Tell it to them; they can change it themselves."),
        widget=_PASSWORD,
    )


class NewMemberForm(forms.Form):
    """Somebody new in an account. Their cameras are chosen next."""

    account = forms.ModelChoiceField(queryset=Account.objects.none(), label=gettext_lazy("Account"))
    username = forms.CharField(
        max_length=150,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What they log in with. Somebody who has a login already keeps it."),
        widget=forms.TextInput(
            attrs={"autocapitalize": "none", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    password = forms.CharField(
        max_length=200,
        required=False,
        strip=False,
        label=gettext_lazy("Password"),
        help_text=gettext_lazy("At least 12 characters. Not needed for somebody who has a login already."),
        widget=_PASSWORD,
    )
    role = forms.ChoiceField(
        choices=_ROLES, initial=Role.VIEWER, widget=forms.RadioSelect, label=gettext_lazy("May do")
    )
    sees_all_cameras = forms.BooleanField(
        required=False, initial=True, label=gettext_lazy("Sees all cameras, also those to come")
    )

    def __init__(self, data: Any, *, accounts: list[Account]) -> None:
        super().__init__(data)
        self._only_account = accounts[0] if len(accounts) == 1 else None
        if self._only_account is not None:
            del self.fields["account"]
            return
        field = cast("forms.ModelChoiceField[Account]", self.fields["account"])  # declared above
        field.queryset = Account.objects.filter(pk__in=[account.pk for account in accounts])

    def values(self) -> dict[str, Any]:
        """Return what was entered, with the account also where there is no choice of it."""
        return {"account": self._only_account, **self.cleaned_data}


class MemberForm(forms.Form):
    """What somebody may do, and on which cameras: a field for each camera and group."""

    role = forms.ChoiceField(choices=_ROLES, widget=forms.RadioSelect, label=gettext_lazy("May do"))
    sees_all_cameras = forms.BooleanField(
        required=False, label=gettext_lazy("Sees all cameras, also those to come")
    )

    def __init__(self, data: Any, *, member: Member) -> None:
        super().__init__(data, initial={"role": member.role, "sees_all_cameras": member.sees_all_cameras})
        self._grants = {(grant.scope_kind, grant.scope_id): grant for grant in member.grants.all()}
        groups = CameraGroup.objects.filter(account=member.account).order_by("name", "id")
        cameras = Camera.objects.filter(account=member.account).order_by("number", "id")
        self._scopes: dict[str, tuple[GrantScope, Any]] = {}
        for kind, rows in ((GrantScope.GROUP, groups), (GrantScope.CAMERA, cameras)):
            for row in rows:
                self._add_scope(kind, row)

    def _add_scope(self, kind: GrantScope, row: Any) -> None:
        name = f"{kind.value}_{row.pk}"
        grant = self._grants.get((kind.value, row.pk))
        self._scopes[name] = (kind, row)
        self.fields[name] = forms.ChoiceField(
            choices=_GRANTS,
            required=False,
            initial=grant.role if grant else "",
            label=row.name,
            help_text=f"{gettext_lazy('Until')} {grant.until:%Y-%m-%d %H:%M} UTC"
            if grant and grant.until
            else "",
        )

    def scope_fields(self) -> Iterator[Any]:
        """Yield the bound fields of groups and cameras."""
        return (self[name] for name in self._scopes)

    def values(self) -> dict[str, Any]:
        """Return what was entered, as `change_member` takes it; an end that a grant has stays."""
        values = self.cleaned_data
        grants = [
            GrantWanted(
                scope_kind=kind.value,
                scope_id=row.pk,
                role=values[name],
                until=self._until_of(self._grants.get((kind.value, row.pk))),
            )
            for name, (kind, row) in self._scopes.items()
            if values[name]
        ]
        limited = {} if values["sees_all_cameras"] else {"grants": grants}
        return {"role": values["role"], "sees_all_cameras": values["sees_all_cameras"], **limited}

    def _until_of(self, grant: Grant | None) -> Any:
        return grant.until if grant else None
