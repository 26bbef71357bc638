"""Models for operators. Files come in by upload or import only, where they are inspected."""

from django.contrib import admin
from django.http import HttpRequest

from apps.catalog.models import Model, ModelConversion, ModelUpload, ModelVersion, Training
from apps.core.admin_base import ReadOnlyAdmin

_VERSION_FIELDS = (
    "version", "runtime", "builtin", "labels", "input_size_wh", "size_bytes", "sha256", "created_at",
)  # fmt: skip


class VersionInline(admin.TabularInline[ModelVersion, Model]):
    model = ModelVersion
    extra = 0
    can_delete = False
    fields = _VERSION_FIELDS
    readonly_fields = _VERSION_FIELDS

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Model)
class ModelAdmin(admin.ModelAdmin[Model]):
    list_display = ["name", "task", "account", "licence", "origin", "updated_at"]
    list_filter = ["task", "account"]
    search_fields = ["name", "slug", "origin"]
    readonly_fields = ["id", "account", "slug", "task", "created_at", "updated_at"]
    inlines = [VersionInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # deleting asks whether an analytic uses it, and takes the file along: by the API


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin[ModelVersion]):
    list_display = ["model", "version", "runtime", "size_bytes", "created_at"]
    list_filter = ["runtime"]
    search_fields = ["model__name", "sha256"]
    list_select_related = ["model"]


@admin.register(ModelUpload)
class ModelUploadAdmin(ReadOnlyAdmin[ModelUpload]):
    list_display = ["name", "kind", "account", "received_bytes", "size_bytes", "expires_at"]
    list_filter = ["kind", "account"]
    list_select_related = ["account"]


@admin.register(ModelConversion)
class ModelConversionAdmin(ReadOnlyAdmin[ModelConversion]):
    list_display = ["version", "target", "account", "size_bytes", "created_at"]
    list_filter = ["target", "account"]
    list_select_related = ["version__model", "account"]


@admin.register(Training)
class TrainingAdmin(ReadOnlyAdmin[Training]):
    list_display = ["name", "architecture", "account", "version", "created_at"]
    list_filter = ["architecture", "account"]
    list_select_related = ["account", "version__model"]
