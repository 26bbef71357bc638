"""Accounts, members, tokens, and who is asking."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import SESSION_KEY, update_session_auth_hash
from django.db.models import Q, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import password_services, services, token_services
from apps.accounts.access import Action, Actor
from apps.accounts.api.filters import MemberFilter, TokenFilter
from apps.accounts.api.serializers import (
    AccountReadSerializer,
    AccountWriteSerializer,
    MemberReadSerializer,
    MemberWriteSerializer,
    MeSerializer,
    NewTokenSerializer,
    PasswordChangeSerializer,
    PasswordResetSerializer,
    TokenReadSerializer,
    TokenWriteSerializer,
)
from apps.accounts.api.viewsets import AccessModelViewSet, ActorMixin, chosen_account
from apps.accounts.models import Account, ApiToken, Member, User
from apps.accounts.selectors import account_for_writing, accounts_of, membership_for_writing
from apps.core.exceptions import ForbiddenError


class AccountViewSet(AccessModelViewSet[Account]):
    """One's accounts. Creating one takes a superuser; accounts are deleted in the admin."""

    queryset = Account.objects.all()
    write_action = Action.MANAGE_MEMBERS
    account_path = "id"
    camera_path = None
    read_serializer_class = AccountReadSerializer
    write_serializer_class = AccountWriteSerializer
    ordering_fields = ("name", "created_at")
    ordering = ("created_at",)
    http_method_names = ["get", "head", "options", "post", "patch"]

    def create_row(self, data: Mapping[str, Any]) -> Account:
        return services.create_account(actor=self.actor, **data)

    def update_row(self, row: Account, data: Mapping[str, Any]) -> Account:
        return services.change_account(actor=self.actor, account=row, changes=dict(data))


class MemberViewSet(AccessModelViewSet[Member]):
    """Who is in an account. Administrators see all of theirs, everybody else themselves."""

    queryset = Member.objects.select_related("user").prefetch_related("grants")
    read_action = Action.MANAGE_MEMBERS
    write_action = Action.MANAGE_MEMBERS
    camera_path = None
    read_serializer_class = MemberReadSerializer
    write_serializer_class = MemberWriteSerializer
    filterset_class = MemberFilter
    ordering_fields = ("role", "created_at", "user__username")
    ordering = ("created_at",)

    def get_queryset(self) -> QuerySet[Member]:
        managed = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return managed
        own = [one.member_id for one in self.actor.memberships]
        return managed | self.queryset.filter(pk__in=own)

    def create_row(self, data: Mapping[str, Any]) -> Member:
        account = account_for_writing(self.actor, Action.MANAGE_MEMBERS, chosen_account(data))
        return services.add_member(
            actor=self.actor,
            account=account,
            username=data["username"],
            role=data["role"],
            sees_all_cameras=data["sees_all_cameras"],
            password=data.get("password", ""),
            grants=_grants(data) or (),
        )

    def update_row(self, row: Member, data: Mapping[str, Any]) -> Member:
        return services.change_member(
            actor=self.actor,
            member=row,
            role=data.get("role"),
            sees_all_cameras=data.get("sees_all_cameras"),
            grants=_grants(data),
        )

    def delete_row(self, row: Member) -> None:
        services.remove_member(actor=self.actor, member=row)

    @extend_schema(request=PasswordResetSerializer, responses={204: None})
    @action(detail=True, methods=["post"], serializer_class=PasswordResetSerializer)
    def reset_password(self, request: Request, pk: str | None = None) -> Response:
        """Set a member's password; their sessions and tokens end."""
        member = self.get_for(Action.MANAGE_MEMBERS)
        body = PasswordResetSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        password_services.reset_password(
            actor=self.actor, user=member.user, new_password=body.validated_data["new_password"]
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class TokenViewSet(AccessModelViewSet[ApiToken]):
    """API tokens: one's own, and for administrators those of their members. Their text is shown once."""

    queryset = ApiToken.objects.select_related("member__user")
    read_action = Action.MANAGE_MEMBERS
    write_action = Action.VIEW
    account_path = "member__account_id"
    camera_path = None
    read_serializer_class = TokenReadSerializer
    write_serializer_class = TokenWriteSerializer
    filterset_class = TokenFilter
    ordering_fields = ("name", "created_at", "last_used_at", "expires_at")
    ordering = ("-created_at",)
    http_method_names = ["get", "head", "options", "post", "delete"]

    def get_queryset(self) -> QuerySet[ApiToken]:
        managed = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return managed
        return managed | self.queryset.filter(_own_tokens(self.actor))

    @extend_schema(responses={201: NewTokenSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a token for oneself; its text is shown this once."""
        data = self.validated(request)
        member = membership_for_writing(self.actor, chosen_account(data))
        token, text = token_services.create_token(
            actor=self.actor,
            member=member,
            name=data["name"],
            role=data["role"],
            expires_at=data["expires_at"],
        )
        return Response({**TokenReadSerializer(token).data, "token": text}, status=status.HTTP_201_CREATED)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Revoke a token; it stays listed."""
        token_services.revoke_token(actor=self.actor, token=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)


class MeView(ActorMixin, APIView):
    """Who is asking."""

    @extend_schema(responses=MeSerializer, operation_id="me_retrieve")
    def get(self, request: Request) -> Response:
        """Return the actor and its accounts."""
        return Response(MeSerializer(_me(self.actor, request.user)).data)


class OwnPasswordView(ActorMixin, APIView):
    """Changing one's password."""

    @extend_schema(request=PasswordChangeSerializer, responses={204: None}, operation_id="me_change_password")
    def post(self, request: Request) -> Response:
        """Change one's password; every other session and all tokens end."""
        body = PasswordChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        user = _person(request)
        password_services.change_own_password(
            actor=self.actor,
            user=user,
            old_password=body.validated_data["old_password"],
            new_password=body.validated_data["new_password"],
            now=timezone.now(),
        )
        if request._request.session.get(SESSION_KEY) == str(user.pk):  # this session goes on
            update_session_auth_hash(request._request, user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _grants(data: Mapping[str, Any]) -> list[services.GrantWanted] | None:
    return [services.GrantWanted(**one) for one in data["grants"]] if "grants" in data else None


def _own_tokens(actor: Actor) -> Q:
    return Q(member_id__in=[one.member_id for one in actor.memberships], member__user_id=actor.user_id)


def _person(request: Request) -> User:
    if not isinstance(request.user, User):
        raise ForbiddenError("Only people have passwords.")
    return request.user


def _me(actor: Actor, user: Any) -> dict[str, Any]:
    names = {account.pk: account.name for account in accounts_of(actor)}
    return {
        "kind": actor.kind.value,
        "id": actor.id,
        "user": actor.user_id,
        "username": user.get_username(),
        "is_superuser": actor.is_superuser,
        "accounts": [
            {
                "account": one.account_id,
                "name": names[one.account_id],
                "role": one.role,
                "sees_all_cameras": one.sees_all_cameras,
            }
            for one in actor.memberships
        ],
    }
