"""Accounts (tenants), users, who may see what, and API tokens."""

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac

from apps.core.models import UuidModel
from omma_engine.ids import uuid7


class Account(UuidModel):
    """A tenant: everything below it is invisible to every other one."""

    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="UTC")
    is_active = models.BooleanField(default=True)
    counters = models.JSONField(default=dict, blank=True, editable=False)  # next `number` per kind

    class Meta:
        db_table = "accounts_account"

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who can log in; what they may do follows from their memberships."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(blank=True)
    session_epoch = models.PositiveIntegerField(
        default=0
    )  # raised to end every session and token of this user

    def set_password(self, raw_password: str | None) -> None:
        """Set a new password; whoever saves it, what was logged in with the old one ends."""
        super().set_password(raw_password)
        self.session_epoch += 1

    def check_password(self, raw_password: str | None) -> bool:
        """Check as Django does; renewing an outdated hash is no new password."""

        def renew(raw: str) -> None:
            self.password = make_password(raw)
            self.save(update_fields=["password"])

        return check_password(raw_password, self.password, renew)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Tie sessions to the password, as Django does, and to the session epoch."""
        bound = f"{self.session_epoch}:{self.password}"
        return salted_hmac("omma.session", bound, secret=secret, algorithm="sha256").hexdigest()

    class Meta:
        db_table = "accounts_user"


class Role(models.TextChoices):
    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Member(UuidModel):
    """A user in an account. Without `sees_all_cameras`, grants say which cameras."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    sees_all_cameras = models.BooleanField(default=True)

    class Meta:
        db_table = "accounts_member"
        constraints = [models.UniqueConstraint(fields=["account", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} · {self.role}"


class GrantScope(models.TextChoices):
    GROUP = "group"
    CAMERA = "camera"


class Grant(UuidModel):
    """A camera or group that a member may see; `role` may be lower than the member's, never higher."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="grants")
    scope_kind = models.CharField(max_length=16, choices=GrantScope.choices)
    scope_id = models.UUIDField()
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "accounts_grant"
        constraints = [
            models.UniqueConstraint(fields=["member", "scope_kind", "scope_id"], name="grant_once")
        ]

    def __str__(self) -> str:
        return f"{self.scope_kind} {self.scope_id}"


class ApiToken(UuidModel):
    """A token for programs: only its SHA-256 is kept, and it is shown once. Begins with `omt_`."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    session_epoch = models.PositiveIntegerField(default=0, editable=False)  # valid while it is its user's

    class Meta:
        db_table = "accounts_api_token"

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class LoginAttempt(models.Model):
    """Failed logins, counted per name and per address. Kept a day."""

    key = models.CharField(max_length=200, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    blocked_until = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "accounts_login_attempt"
        constraints = [models.CheckConstraint(condition=Q(failures__gte=0), name="login_failures_positive")]

    def __str__(self) -> str:
        return self.key
