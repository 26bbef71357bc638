"""What Luna's clients say of a stream beyond what a camera has."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models

from apps.streams.models import Stream


class LunaStream(models.Model):
    """A stream as a client made it: its words come back as they were given, without secrets.

    It lives as long as the stream. A stream without one was added in another way, and answers with defaults.
    """

    stream = models.OneToOneField(Stream, primary_key=True, on_delete=models.CASCADE, related_name="luna")
    description = models.CharField(max_length=512, blank=True)
    data = models.JSONField(default=dict)
    location = models.JSONField(null=True, blank=True)
    event_source_group = models.CharField(max_length=256, null=True, blank=True)
    source = models.CharField(max_length=128, null=True, blank=True)
    autorestart = models.JSONField(null=True, blank=True)
    analytics = models.JSONField(default=list)
    notification_policy = models.JSONField(null=True, blank=True)
    groups = models.JSONField(default=list, blank=True)
    splittable = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        db_table = "dialects_luna_stream"
        indexes = [
            models.Index(fields=["source"], name="luna_stream_source"),  # filters of the list
            models.Index(fields=["event_source_group"], name="luna_stream_source_group"),
            GinIndex(fields=["groups"], opclasses=["jsonb_path_ops"], name="luna_stream_groups"),
        ]

    def __str__(self) -> str:
        return f"Luna's words about {self.stream_id}"
