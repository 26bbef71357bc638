"""Ranges of time in queries: from an instant to another, or whole days of a place."""

from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.days import day_of, zone_named

_MAX_ZONE_LENGTH = 64


@extend_schema_field({"type": "string", "example": "Europe/Berlin"})
class TimeZoneField(serializers.Field[ZoneInfo, str, str, ZoneInfo]):
    """The name of a time zone; its value is the zone."""

    def to_internal_value(self, data: Any) -> ZoneInfo:
        try:
            return zone_named(str(data)[:_MAX_ZONE_LENGTH])
        except ValueError as error:
            raise serializers.ValidationError("Expected a time zone such as Europe/Berlin.") from error

    def to_representation(self, value: ZoneInfo) -> str:
        return value.key


class RangeQuerySerializer(serializers.Serializer[Any]):
    """`start` and `end`, or `day` and how many `days` of `time_zone`; a day there can have 23 or 25 hours."""

    max_range: ClassVar[timedelta]

    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)
    day = serializers.DateField(required=False)
    days = serializers.IntegerField(required=False, min_value=1, max_value=366)
    time_zone = TimeZoneField(required=False, help_text="What a day is; UTC unless given.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        zone = attrs.setdefault("time_zone", ZoneInfo("UTC"))
        day, count = attrs.pop("day", None), attrs.pop("days", None)
        if day is not None:
            self._refuse_both(attrs)
            try:
                last = day_of(day + timedelta(days=(count or 1) - 1), zone)
                attrs["start"], attrs["end"] = day_of(day, zone).start, last.end
            except OverflowError as error:
                raise serializers.ValidationError({"day": ["This day is out of range."]}) from error
            if attrs["end"] <= attrs["start"]:
                raise serializers.ValidationError({"day": ["There was no such day there."]})
        elif count is not None:
            raise serializers.ValidationError({"day": ["Say with which day they begin."]})
        self._check(attrs, "days" if day is not None else "end")
        return attrs

    def _refuse_both(self, attrs: dict[str, Any]) -> None:
        given = [name for name in ("start", "end") if name in attrs]
        if given:
            raise serializers.ValidationError({given[0]: ["Give either start and end, or a day."]})

    def _check(self, attrs: dict[str, Any], culprit: str) -> None:
        for name in ("start", "end"):
            if name not in attrs:
                raise serializers.ValidationError({name: ["Give start and end, or a day."]})
        if attrs["end"] <= attrs["start"]:
            raise serializers.ValidationError({"end": ["The end must be after the start."]})
        # An hour more: the days around a change of clocks are longer.
        if attrs["end"] - attrs["start"] > self.max_range + timedelta(hours=1):
            raise serializers.ValidationError({culprit: [f"{self.max_range.days} days at most."]})


class DaySerializer(serializers.Serializer[Any]):
    """A day of the time zone that was asked for."""

    day = serializers.DateField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
