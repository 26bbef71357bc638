"""Lists look as the framework's own serializers show them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from rest_framework import serializers

from apps.core.api.rows import RowSerializer, UtcTimeField
from apps.core.models import Task


class Fast(RowSerializer[Task]):
    owner = serializers.UUIDField(source="account_id", read_only=True)
    shout = serializers.SerializerMethodField()

    class Meta:
        model = Task
        exclude = ("parameters",)

    def get_shout(self, row: Task) -> str:
        return row.kind.upper()


class Plain(Fast):
    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping

    def to_representation(self, instance: Task) -> dict[str, Any]:
        return serializers.ModelSerializer.to_representation(self, instance)


@pytest.mark.django_db
def test_a_row_looks_as_the_framework_shows_it() -> None:
    Task.objects.create(kind="thumbnail", unique_key="one")
    row = Task.objects.get()

    assert dict(Fast(row).data) == dict(Plain(row).data)
    assert [dict(one) for one in Fast([row], many=True).data] == [dict(Plain(row).data)]
    assert Fast(row).data["shout"] == "THUMBNAIL"
    assert Fast(row).data["owner"] is None


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=45))])
def test_times_are_utc_with_microseconds(zone: timezone) -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC).astimezone(zone)

    assert UtcTimeField().to_representation(moment) == "2026-01-31T12:00:00.000000Z"
