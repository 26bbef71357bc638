"""What SpectraX tells about a recording beyond its interval."""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.recordings.models import Recording

DetectedObject = dict[str, Any]  # `class`, `confidence`, `bbox` and, where a track tells of it, `tracker_id`


class SpectraxClip(models.Model):
    """What was seen in a recording, written when it is done, and kept as long as the recording.

    `objects_detected` is SpectraX's own list; a `bbox` is `x1 y1 x2 y2` in pixels, empty where that is not
    known. The database deletes the row with its recording.
    """

    recording = models.OneToOneField(
        Recording, primary_key=True, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False
    )
    account_id = models.UUIDField()
    camera_id = models.UUIDField()
    objects_detected = models.JSONField(default=list, blank=True)
    classes = models.JSONField(default=list, blank=True)
    confidence = models.FloatField(default=0.0)
    size_bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "dialects_spectrax_clip"
        indexes = [
            models.Index(fields=["account_id", "camera_id"], name="spectrax_clip_of_camera"),
            models.Index(fields=["account_id", "-confidence"], name="spectrax_clip_surest"),  # sort_by
            GinIndex(fields=["classes"], opclasses=["jsonb_path_ops"], name="spectrax_clip_classes"),
        ]

    def __str__(self) -> str:
        return f"Clip of {self.recording_id}"
