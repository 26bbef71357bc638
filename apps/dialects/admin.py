"""What dialects keep for themselves, for operators."""

from django.contrib import admin

from apps.core.admin_base import ReadOnlyAdmin
from apps.dialects.models import SpectraxClip


@admin.register(SpectraxClip)
class SpectraxClipAdmin(ReadOnlyAdmin[SpectraxClip]):
    list_display = ["recording", "camera_id", "classes", "confidence", "size_bytes"]
    list_select_related = ["recording"]
    search_fields = ["recording__number"]
    ordering = ["-recording__start"]
