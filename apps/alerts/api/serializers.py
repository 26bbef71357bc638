"""How targets and deliveries look, and what may be sent about them. Secrets go in and never come out."""

from typing import Any

from rest_framework import serializers

from apps.alerts.checks import MAX_DIGEST_S, MAX_LATE_S, MAX_NAME_LENGTH, MAX_PER_MINUTE, WANTABLE
from apps.alerts.http_outlet import MAX_TIMEOUT_S
from apps.alerts.models import Delivery, Target, TargetState
from apps.alerts.pauses import Circuit, circuit_of

_WANTS = [(kind.value, kind.label) for kind in WANTABLE]


class TargetStateSerializer(serializers.ModelSerializer[TargetState]):
    """How sending goes. `circuit` is open after failures in a row: then only one is tried now and then."""

    circuit = serializers.SerializerMethodField()

    class Meta:
        model = TargetState
        fields = ["circuit", "pending", "failures", "next_at", "last_ok_at", "last_failed_at", "last_error"]

    def get_circuit(self, state: TargetState) -> Circuit:
        return circuit_of(state.failures)


class TargetReadSerializer(serializers.ModelSerializer[Target]):
    """A target. `place` is the part of its address that may be shown; `cameras` is empty for all of them."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    cameras = serializers.PrimaryKeyRelatedField[Any](
        many=True, read_only=True, pk_field=serializers.UUIDField()
    )
    wants = serializers.ListField(child=serializers.CharField(), read_only=True)
    content_type = serializers.CharField(source="options.content_type", read_only=True)
    timeout_s = serializers.FloatField(source="options.timeout_s", read_only=True)
    includes_picture = serializers.BooleanField(
        source="options.includes_picture", read_only=True, default=False
    )
    sending = TargetStateSerializer(source="state", read_only=True)

    class Meta:
        model = Target
        fields = [
            "id", "account", "name", "kind", "is_enabled", "place", "format", "all_cameras", "cameras",
            "wants", "owner_kind", "owner_id", "content_type", "timeout_s", "includes_picture",
            "per_minute", "digest_s", "late_s", "sending", "created_at", "updated_at",
        ]  # fmt: skip


class NewTargetSerializer(TargetReadSerializer):
    """A new target, with the key that its webhooks are signed with: it is shown this once."""

    signing_key = serializers.CharField(read_only=True)

    class Meta(TargetReadSerializer.Meta):
        fields = [*TargetReadSerializer.Meta.fields, "signing_key"]


class TargetWriteSerializer(serializers.Serializer[Any]):
    """A target over HTTP. Address, login, headers and signing key are kept sealed."""

    account = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=MAX_NAME_LENGTH)
    address = serializers.CharField(max_length=1000, write_only=True)
    is_enabled = serializers.BooleanField(required=False)
    all_cameras = serializers.BooleanField(required=False)
    cameras = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=1000)
    wants = serializers.MultipleChoiceField(choices=_WANTS, required=False)
    format = serializers.CharField(max_length=32, required=False)
    authorization = serializers.DictField(child=serializers.CharField(), required=False, write_only=True)
    headers = serializers.DictField(child=serializers.CharField(), required=False, write_only=True)
    signing_key = serializers.CharField(max_length=200, required=False, write_only=True)
    content_type = serializers.CharField(max_length=120, required=False)
    timeout_s = serializers.FloatField(min_value=0.1, max_value=MAX_TIMEOUT_S, required=False)
    includes_picture = serializers.BooleanField(required=False)
    per_minute = serializers.IntegerField(min_value=1, max_value=MAX_PER_MINUTE, required=False)
    digest_s = serializers.IntegerField(min_value=1, max_value=MAX_DIGEST_S, required=False)
    late_s = serializers.IntegerField(min_value=1, max_value=MAX_LATE_S, required=False)


class SigningKeySerializer(serializers.Serializer[Any]):
    """A new signing key, shown this once."""

    signing_key = serializers.CharField()


class RuleTargetsSerializer(serializers.Serializer[Any]):
    """The targets that a rule tells."""

    targets = serializers.ListField(child=serializers.UUIDField(), max_length=200)


class ResentSerializer(serializers.Serializer[Any]):
    """How many deliveries are sent again."""

    resent = serializers.IntegerField()


class DeliveryReadSerializer(serializers.ModelSerializer[Delivery]):
    """A notification on its way, delivered, or dead. `count` is above 1 for a digest."""

    account = serializers.UUIDField(source="account_id", read_only=True)
    target = serializers.UUIDField(source="target_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True, allow_null=True)

    class Meta:
        model = Delivery
        fields = [
            "id", "account", "target", "camera", "kind", "subject_kind", "subject_id", "occurred_at",
            "payload", "count", "closes_at", "state", "attempts", "expires_at", "is_late", "last_status",
            "last_error", "created_at", "attempted_at", "delivered_at",
        ]  # fmt: skip
