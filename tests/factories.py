"""Rows for tests, with as few words as possible. Names are made up where they do not matter."""

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Any

from apps.accounts.models import Account, ApiToken, Grant, GrantScope, Member, User
from apps.accounts.tokens import new_secret
from apps.cameras.models import Camera, CameraGroup

PASSWORD = "correct horse battery"
_numbers = count(1)


def make_account(name: str = "Home", **fields: Any) -> Account:
    return Account.objects.create(name=name, **fields)


def make_user(name: str = "", *, password: str = PASSWORD, **fields: Any) -> User:
    return User.objects.create_user(name or f"user{next(_numbers)}", password=password, **fields)


def make_superuser(name: str = "root") -> User:
    return User.objects.create_superuser(name, password=PASSWORD)


def make_member(account: Account, role: str = "viewer", *, user: User | None = None, **fields: Any) -> Member:
    return Member.objects.create(account=account, user=user or make_user(), role=role, **fields)


def make_limited_member(
    account: Account,
    role: str,
    scopes: Iterable[Camera | CameraGroup],
    *,
    grant_role: str = "",
    until: datetime | None = None,
) -> Member:
    """Return a member who sees only these cameras and groups."""
    member = make_member(account, role, sees_all_cameras=False)
    for scope in scopes:
        kind = GrantScope.GROUP if isinstance(scope, CameraGroup) else GrantScope.CAMERA
        Grant.objects.create(
            member=member, scope_kind=kind, scope_id=scope.pk, role=grant_role or role, until=until
        )
    return member


def make_token(member: Member, role: str = "viewer", **fields: Any) -> tuple[ApiToken, str]:
    """Return a token and its text."""
    secret = new_secret()
    fields = {
        "name": "program",
        "prefix": secret.prefix,
        "digest": secret.digest,
        "role": role,
        "session_epoch": member.user.session_epoch,
        **fields,
    }
    return ApiToken.objects.create(member=member, **fields), secret.text


def make_camera(account: Account, name: str = "", **fields: Any) -> Camera:
    number = next(_numbers)
    fields = {"driver": "synthetic", "address": "synthetic:", "number": number, **fields}
    return Camera.objects.create(account=account, name=name or f"Camera {number}", **fields)


def make_group(account: Account, cameras: Iterable[Camera], name: str = "") -> CameraGroup:
    group = CameraGroup.objects.create(account=account, name=name or f"Group {next(_numbers)}")
    group.cameras.set(cameras)
    return group
