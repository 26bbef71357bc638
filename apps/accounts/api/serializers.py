"""How accounts, members and tokens look, and what may be sent about them."""

from typing import Any

from rest_framework import serializers

from apps.accounts.models import Account, ApiToken, Grant, GrantScope, Member, Role


class AccountReadSerializer(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = ["id", "name", "time_zone", "is_active", "created_at"]


class AccountWriteSerializer(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = ["name", "time_zone"]


class GrantSerializer(serializers.ModelSerializer[Grant]):
    """A camera or a group that a limited member may see."""

    class Meta:
        model = Grant
        fields = ["scope_kind", "scope_id", "role", "until"]


class GrantWriteSerializer(serializers.Serializer[Any]):
    scope_kind = serializers.ChoiceField(choices=GrantScope.choices)
    scope_id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=Role.choices, default=Role.VIEWER)
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


class MemberReadSerializer(serializers.ModelSerializer[Member]):
    account = serializers.UUIDField(source="account_id", read_only=True)
    user = serializers.UUIDField(source="user_id", read_only=True)
    username = serializers.CharField(source="user.username", read_only=True)
    grants = GrantSerializer(many=True, read_only=True)

    class Meta:
        model = Member
        fields = ["id", "account", "user", "username", "role", "sees_all_cameras", "grants", "created_at"]


class MemberWriteSerializer(serializers.Serializer[Any]):
    """What is sent to add or change a member; `account`, `username` and `password` count only when adding."""

    account = serializers.UUIDField(required=False)
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(
        required=False,
        write_only=True,
        max_length=200,
        trim_whitespace=False,
        style={"input_type": "password"},
    )
    role = serializers.ChoiceField(choices=Role.choices, default=Role.VIEWER)
    sees_all_cameras = serializers.BooleanField(default=True)
    grants = GrantWriteSerializer(many=True, required=False)


class PasswordResetSerializer(serializers.Serializer[Any]):
    new_password = serializers.CharField(
        max_length=200, trim_whitespace=False, style={"input_type": "password"}
    )


class PasswordChangeSerializer(PasswordResetSerializer):
    old_password = serializers.CharField(
        max_length=200, trim_whitespace=False, style={"input_type": "password"}
    )


class TokenReadSerializer(serializers.ModelSerializer[ApiToken]):
    """A token without its text, which nobody can read again."""

    account = serializers.UUIDField(source="member.account_id", read_only=True)
    username = serializers.CharField(source="member.user.username", read_only=True)

    class Meta:
        model = ApiToken
        fields = [
            "id",
            "account",
            "username",
            "name",
            "prefix",
            "role",
            "expires_at",
            "last_used_at",
            "revoked_at",
            "created_at",
        ]


class TokenWriteSerializer(serializers.Serializer[Any]):
    account = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.VIEWER)
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class NewTokenSerializer(TokenReadSerializer):
    """A token just made, with its text: shown this once."""

    token = serializers.CharField(read_only=True)

    class Meta(TokenReadSerializer.Meta):
        fields = [*TokenReadSerializer.Meta.fields, "token"]


class OwnMembershipSerializer(serializers.Serializer[Any]):
    account = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    sees_all_cameras = serializers.BooleanField()


class MeSerializer(serializers.Serializer[Any]):
    """Who is asking, as Omma sees it."""

    kind = serializers.ChoiceField(choices=["user", "token"])
    id = serializers.UUIDField()
    user = serializers.UUIDField()
    username = serializers.CharField()
    is_superuser = serializers.BooleanField()
    accounts = OwnMembershipSerializer(many=True)
