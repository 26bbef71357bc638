"""People, accounts, rights and tokens, for operators. Secrets go in and never come out."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts import password_services, token_services
from apps.accounts.access import actor_of
from apps.accounts.models import Account, ApiToken, Grant, LoginAttempt, Member, User
from apps.core import audit
from apps.core.admin_base import ReadOnlyAdmin

admin.site.unregister(Group)  # rights come from memberships


class MemberInline(admin.TabularInline[Member, Any]):
    model = Member
    extra = 0
    fields = ("account", "user", "role", "sees_all_cameras")
    autocomplete_fields = ("account", "user")


class AuditedAdmin(admin.ModelAdmin[Any]):
    """Every change made here is in the audit trail, too."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "created")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "updated")
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            self._record(request, obj, "deleted")
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: Any, verb: str) -> None:
        kind = obj._meta.model_name
        audit.record(
            actor_of(request).ref(),
            f"{kind}.{verb}",
            subject_kind=kind,
            subject_id=obj.pk,
            subject_name=str(obj),
            account_id=getattr(obj, "account_id", None),
        )


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin[User]):
    list_display = ("username", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_superuser", "memberships__account")
    inlines = (MemberInline,)
    filter_horizontal = ("user_permissions",)
    actions = ("log_out",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    @admin.action(description="Log out everywhere and revoke tokens", permissions=["change"])
    def log_out(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        actor = actor_of(request)
        for user in queryset:
            password_services.end_sessions(actor=actor, user=user)
        self.message_user(request, f"{len(queryset)} logged out.", messages.SUCCESS)


@admin.register(Account)
class AccountAdmin(AuditedAdmin):
    list_display = ("name", "time_zone", "is_active", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name",)
    inlines = (MemberInline,)


class GrantInline(admin.TabularInline[Grant, Member]):
    model = Grant
    extra = 0


@admin.register(Member)
class MemberAdmin(AuditedAdmin):
    list_display = ("user", "account", "role", "sees_all_cameras")
    list_filter = ("role", "sees_all_cameras", "account")
    search_fields = ("user__username", "account__name")
    autocomplete_fields = ("account", "user")
    list_select_related = ("user", "account")
    inlines = (GrantInline,)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    list_display = (
        "name",
        "prefix",
        "member",
        "role",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("role", "member__account")
    list_select_related = ("member__user",)
    search_fields = ("name", "prefix", "member__user__username")
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        actor = actor_of(request)
        for token in queryset.select_related("member"):
            token_services.revoke_token(actor=actor, token=token)
        self.message_user(request, f"{len(queryset)} revoked.", messages.SUCCESS)


@admin.register(LoginAttempt)
class LoginAttemptAdmin(ReadOnlyAdmin[LoginAttempt]):
    """Deleting a counter lets its name or address try again at once."""

    list_display = ("key", "failures", "blocked_until", "updated_at")
    search_fields = ("key",)
    ordering = ("-updated_at",)

    def has_delete_permission(self, request: HttpRequest, obj: LoginAttempt | None = None) -> bool:
        return bool(request.user.is_superuser)
