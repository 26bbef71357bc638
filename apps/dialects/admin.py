"""What dialects keep for themselves, for operators."""

from django.contrib import admin

from apps.core.admin_base import ReadOnlyAdmin
from apps.dialects.models import LunaStream, SpectraxClip


@admin.register(SpectraxClip)
class SpectraxClipAdmin(ReadOnlyAdmin[SpectraxClip]):
    list_display = ["recording", "camera_id", "classes", "confidence", "size_bytes"]
    list_select_related = ["recording"]
    search_fields = ["recording__number"]
    ordering = ["-recording__start"]


@admin.register(LunaStream)
class LunaStreamAdmin(ReadOnlyAdmin[LunaStream]):
    list_display = ["stream", "source", "event_source_group", "splittable", "version"]
    list_filter = ["splittable", "event_source_group"]
    list_select_related = ["stream__camera"]
    search_fields = ["stream__camera__name", "source", "event_source_group", "description"]
    ordering = ["stream__camera__name"]
