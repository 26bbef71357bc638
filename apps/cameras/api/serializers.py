"""How cameras and groups look, and what may be sent about them. Passwords go in and never come out."""

from typing import Any

from rest_framework import serializers

from apps.cameras.models import Camera, CameraGroup, Driver, Sensor
from omma_engine.redaction import redact


class SensorSerializer(serializers.ModelSerializer[Sensor]):
    class Meta:
        model = Sensor
        fields = ["id", "name", "kind", "facts"]


class CameraReadSerializer(serializers.ModelSerializer[Camera]):
    account = serializers.UUIDField(source="account_id", read_only=True)
    address = serializers.SerializerMethodField()
    has_password = serializers.SerializerMethodField()
    sensors = SensorSerializer(many=True, read_only=True)

    class Meta:
        model = Camera
        fields = [
            "id",
            "account",
            "number",
            "name",
            "driver",
            "address",
            "has_password",
            "options",
            "identity",
            "is_enabled",
            "is_on_wall",
            "sensors",
            "created_at",
            "updated_at",
        ]

    def get_address(self, camera: Camera) -> str:
        return redact(camera.address)

    def get_has_password(self, camera: Camera) -> bool:
        return bool(camera.secret)


class LoginFieldsSerializer(serializers.Serializer[Any]):
    """An address and the login for it."""

    address = serializers.CharField(max_length=1000)
    driver = serializers.ChoiceField(choices=Driver.choices, required=False)
    username = serializers.CharField(required=False, allow_blank=True, max_length=200, write_only=True)
    password = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=200,
        write_only=True,
        trim_whitespace=False,
        style={"input_type": "password"},
    )


class CameraWriteSerializer(LoginFieldsSerializer):
    """What is sent to add or change a camera; `name` and `address` are enough to add one."""

    account = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=128)
    options = serializers.DictField(required=False)
    is_enabled = serializers.BooleanField(required=False)
    is_on_wall = serializers.BooleanField(required=False)


class ProbeSerializer(LoginFieldsSerializer):
    """An address to look through once."""


class ProbedSerializer(serializers.Serializer[Any]):
    """What was seen; `picture` is a JPEG as a data address."""

    driver = serializers.CharField()
    codec = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    frame_rate = serializers.FloatField()
    has_audio = serializers.BooleanField()
    picture = serializers.CharField()


class CameraGroupReadSerializer(serializers.ModelSerializer[CameraGroup]):
    account = serializers.UUIDField(source="account_id", read_only=True)

    class Meta:
        model = CameraGroup
        fields = ["id", "account", "name", "cameras", "created_at", "updated_at"]


class CameraGroupWriteSerializer(serializers.Serializer[Any]):
    account = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120)
    cameras = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=1000)
