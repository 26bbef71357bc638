"""How back-tests of rules are asked for and told."""

from typing import Any

from rest_framework import serializers


class BacktestWriteSerializer(serializers.Serializer[Any]):
    """A past range of a stream. `tracks` are judged at once, `footage` is analysed anew."""

    stream = serializers.UUIDField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    over = serializers.ChoiceField(choices=["tracks", "footage"], default="tracks")


class WouldFireSerializer(serializers.Serializer[Any]):
    """One time that the rule would have fired, what would have come of it, and why."""

    at = serializers.DateTimeField()
    until = serializers.DateTimeField()
    label = serializers.CharField()  # type: ignore[assignment]  # the serializer takes it out of the class
    confidence = serializers.FloatField()
    track_number = serializers.IntegerField()
    outcome = serializers.CharField()
    why = serializers.CharField()


class BacktestSerializer(serializers.Serializer[Any]):
    """What the rule would have done; while it is not known, the analysis that finds out."""

    analysis = serializers.UUIDField(allow_null=True)
    firings = WouldFireSerializer(many=True, allow_null=True)
