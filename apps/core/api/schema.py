"""How viewsets become OpenAPI: bodies by write serializers, answers by read serializers, errors alike."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

Direction = Literal["request", "response"]
_WRITES = {"create", "partial_update", "update"}


class ErrorBodySerializer(serializers.Serializer[Any]):
    """What went wrong."""

    code = serializers.CharField()
    message = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]
    detail = serializers.DictField()


class ErrorSerializer(serializers.Serializer[Any]):
    """The envelope of every error."""

    error = ErrorBodySerializer()


class OmmaAutoSchema(AutoSchema):
    """Knows `read_serializer_class` and `write_serializer_class`."""

    def get_request_serializer(self) -> Any:
        return getattr(self.view, "write_serializer_class", None) or super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        read = getattr(self.view, "read_serializer_class", None)
        if read is None or getattr(self.view, "action", "") not in _WRITES:
            return super().get_response_serializers()
        return {"201" if self.method == "POST" else "200": read}

    def _get_response_bodies(self, direction: Direction = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        error = OpenApiResponse(ErrorSerializer, description="The error envelope.")
        bodies["default"] = self._get_response_for_code(error, "default", direction=direction)  # type: ignore[no-untyped-call]
        return bodies
