"""Filters of accounts, members and tokens; a bad value is a 400 that names the field."""

import django_filters

from apps.accounts.models import ApiToken, Member, Role


class MemberFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="account_id")
    user = django_filters.UUIDFilter(field_name="user_id")
    username = django_filters.CharFilter(field_name="user__username", lookup_expr="icontains")
    role = django_filters.ChoiceFilter(choices=Role.choices)

    class Meta:
        model = Member
        fields = ["account", "user", "username", "role"]


class TokenFilter(django_filters.FilterSet):
    account = django_filters.UUIDFilter(field_name="member__account_id")
    is_revoked = django_filters.BooleanFilter(field_name="revoked_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = ApiToken
        fields = ["account", "is_revoked"]
