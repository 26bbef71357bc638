"""Videos over HTTP: send one in parts or name its address, see how far it is, delete it."""

from collections.abc import Mapping
from typing import IO, Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.access import Action, visible
from apps.accounts.api.viewsets import READ_METHODS, AccessModelViewSet, chosen_account
from apps.accounts.selectors import account_for_writing
from apps.catalog.models import ModelVersion
from apps.core.api.parsers import BoundedJSONParser
from apps.core.exceptions import InvalidInputError, PayloadTooLargeError
from apps.core.models import TaskState
from apps.core.parts import MAX_PART_BYTES
from apps.recordings.videos import services
from apps.recordings.videos.models import Video
from apps.recordings.videos.progress import VideoProgress, progress_of, progress_of_all
from omma_engine.redaction import redact

_HASH = r"^[0-9a-fA-F]{64}$"


class VideoPartParser(BaseParser):
    """Reads the bytes of one part, and not one more than a part may have."""

    media_type = "application/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        data: bytes = stream.read(MAX_PART_BYTES + 1)
        if len(data) > MAX_PART_BYTES:
            raise PayloadTooLargeError(f"A part may have at most {MAX_PART_BYTES >> 20} MB.")
        return data


class VideoReadSerializer(serializers.ModelSerializer[Video]):
    """A video and how far it is, the analysis that was asked for included.

    While `state` is `receiving`, the next part begins at `received_bytes`. `camera` and `stream` are there
    once it is imported.
    """

    account = serializers.UUIDField(source="account_id", read_only=True)
    camera = serializers.UUIDField(source="camera_id", read_only=True, allow_null=True)
    stream = serializers.SerializerMethodField()
    address = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()
    left_s = serializers.SerializerMethodField()
    is_over = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()
    error_code = serializers.SerializerMethodField()
    analysis = serializers.UUIDField(source="analysis_id", read_only=True, allow_null=True)
    result_url = serializers.SerializerMethodField()

    class Meta:
        model = Video
        fields = [
            "id", "account", "camera", "stream", "name", "state", "address", "size_bytes", "received_bytes",
            "start", "rotation", "takes_damaged", "facts", "progress", "left_s", "is_over", "error",
            "error_code", "analysis", "result_url", "expires_at", "created_at",
        ]  # fmt: skip

    def get_stream(self, row: Video) -> str | None:
        return str(row.stream_id) if row.camera_id is not None else None

    def get_address(self, row: Video) -> str:
        return redact(row.address)

    def get_progress(self, row: Video) -> float:
        return _progress(row).share

    def get_left_s(self, row: Video) -> float | None:
        return _progress(row).left_s

    def get_is_over(self, row: Video) -> bool:
        return _progress(row).state not in {TaskState.PENDING, TaskState.RUNNING}

    def get_error(self, row: Video) -> str:
        return _progress(row).error

    def get_error_code(self, row: Video) -> str:
        return _progress(row).error_code

    def get_result_url(self, row: Video) -> str | None:
        has_result = row.analysis_id is not None and _progress(row).state == TaskState.DONE
        return reverse("analysis-result", args=[row.analysis_id]) if has_result else None


class LookForSerializer(serializers.Serializer[Any]):
    """A model to run over the video, with values as an analytic has them."""

    model_version = serializers.UUIDField()
    name = serializers.CharField(max_length=120, required=False, default="")
    values = serializers.DictField(required=False, default=dict)


class VideoWriteSerializer(serializers.Serializer[Any]):
    """A file that comes in parts (`size_bytes`, `sha256`), or an `address` to fetch it from."""

    account = serializers.UUIDField(required=False)
    name = serializers.CharField(max_length=120)
    address = serializers.CharField(max_length=2083, required=False, default="", allow_blank=True)
    size_bytes = serializers.IntegerField(min_value=1, max_value=1 << 50, required=False)
    sha256 = serializers.RegexField(_HASH, required=False)
    start = serializers.DateTimeField(required=False, allow_null=True, default=None)
    rotation = serializers.IntegerField(required=False, allow_null=True, default=None)
    takes_damaged = serializers.BooleanField(required=False, default=False)
    models = LookForSerializer(many=True, required=False, default=list)


class VideoViewSet(AccessModelViewSet[Video]):
    """Videos that become cameras: begin, PATCH each part, finish; or name an address."""

    queryset = Video.objects.select_related("task")
    read_action = Action.PLAYBACK
    write_action = Action.MANAGE_CAMERAS
    read_serializer_class = VideoReadSerializer
    write_serializer_class = VideoWriteSerializer
    filterset_fields = ("account", "camera", "state")
    ordering_fields = ("created_at", "name")
    ordering = ("-created_at",)
    http_method_names = [*READ_METHODS, "post", "patch", "delete"]

    def get_parsers(self) -> list[BaseParser]:
        is_part = self.request is not None and self.request.method == "PATCH"
        return [VideoPartParser()] if is_part else [BoundedJSONParser()]

    def paginate_queryset(self, queryset: Any) -> Any:
        """Return a page whose rows know how far they are, at the cost of one query."""
        page: list[Video] | None = super().paginate_queryset(queryset)
        known = progress_of_all(page or [])
        for row in page or []:
            row.__dict__["_progress"] = known[row.pk]
        return page

    def create_row(self, data: Mapping[str, Any]) -> Video:
        account = account_for_writing(self.actor, Action.MANAGE_CAMERAS, chosen_account(data))
        wanted = services.NewVideo(
            account=account,
            name=data["name"],
            start=data["start"],
            rotation=data["rotation"],
            takes_damaged=data["takes_damaged"],
            size_bytes=data.get("size_bytes", 0),
            sha256=data.get("sha256", ""),
            looks_for=self._looks_for(data["models"]),
        )
        if data["address"]:
            return services.import_address(actor=self.actor, wanted=wanted, address=data["address"])
        for name in ("size_bytes", "sha256"):
            if name not in data:
                raise InvalidInputError("This is needed of a file that is sent.", field=name)
        return services.begin_upload(actor=self.actor, wanted=wanted)

    @extend_schema(
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("Upload-Offset", int, OpenApiParameter.HEADER, required=True)],
    )
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Add the part that begins at `Upload-Offset`, which must be where the file ends so far."""
        row = self.get_for(self.write_action)
        stated = request.headers.get("Upload-Offset", "")
        if not (stated.isascii() and stated.isdecimal() and len(stated) < 18):
            raise InvalidInputError("Upload-Offset: expected a whole number.", field="offset")
        data = request.data if isinstance(request.data, bytes) else b""
        return Response(
            self.read(services.append_part(actor=self.actor, video=row, offset=int(stated), data=data))
        )

    @extend_schema(request=None, responses=VideoReadSerializer)
    @action(detail=True, methods=["post"])
    def finish(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Check the whole file against its hash, and have it imported."""
        row = self.get_for(self.write_action)
        return Response(self.read(services.finish_upload(actor=self.actor, video=row)))

    def delete_row(self, row: Video) -> None:
        services.delete_video(actor=self.actor, video=row)

    def _looks_for(self, choices: list[dict[str, Any]]) -> list[services.LookFor]:
        versions = ModelVersion.objects.select_related("model")
        shown = visible(self.actor, Action.VIEW, versions, camera_path=None, account_path="model__account_id")
        known = {row.pk: row for row in shown.filter(pk__in=[each["model_version"] for each in choices])}
        if any(each["model_version"] not in known for each in choices):
            raise InvalidInputError("There is no such model.", field="models")
        return [
            services.LookFor(known[each["model_version"]], each["name"], each["values"]) for each in choices
        ]


def _progress(row: Video) -> VideoProgress:
    known = row.__dict__.get("_progress")
    if known is None:
        known = row.__dict__["_progress"] = progress_of(row)
    return known
