"""Analytics (a model attached to a stream), and what they find: tracks, events and minute summaries."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.catalog.models import ModelVersion
from apps.core.models import UuidModel
from apps.inference.analyses.models import Analysis
from apps.streams.models import Stream
from omma_engine.ids import uuid7

__all__ = [
    "Analysis",
    "Analytic",
    "AnalyticKind",
    "AnalyticStatus",
    "Event",
    "EventKind",
    "MinuteSummary",
    "Track",
]


class AnalyticStatus(models.TextChoices):
    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"  # the stream has no picture
    FAILED = "failed"
    STOPPED = "stopped"
    PAUSED = "paused"  # outside its schedule


class AnalyticKind(models.TextChoices):
    OBJECTS = "objects"
    PEOPLE_COUNT = "people_count"


class Analytic(UuidModel):
    """A model plus parameters, attached to a stream, numbered from 0.

    `regions` are polygons `[[x, y], …]` in parts of the picture (0-1), or `{"points", "name", "unit"}` where
    they have a name or are in pixels; none means everywhere. `schedule` is what `schedules` reads; none means
    always. `counting` are the values of the engine's `CountingSpec`, `plane` those of its `GroundPlane`, and
    `motion_mask` are polygons in which motion wakes nobody. `last_result` is the last `AnalyticResult`.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="analytics")
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="analytics")
    number = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField(default=0)  # among those of its stream, as they are shown
    name = models.CharField(max_length=120)
    label = models.CharField(max_length=128, blank=True)  # what its maker calls it, "entrance"
    kind = models.CharField(max_length=16, choices=AnalyticKind.choices, default=AnalyticKind.OBJECTS)
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="analytics")
    previous_version = models.ForeignKey(  # the last good one, until the new one has run
        ModelVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_enabled = models.BooleanField(default=True)
    rate_fps = models.FloatField(default=5.0)
    min_confidence = models.FloatField(default=0.4)
    labels = models.JSONField(default=list, blank=True)  # empty: all of the model's
    regions = models.JSONField(default=list, blank=True)
    motion_mask = models.JSONField(default=list, blank=True)
    plane = models.JSONField(default=dict, blank=True)
    schedule = models.JSONField(default=list, blank=True)
    counting = models.JSONField(default=dict, blank=True)
    parameters = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=16, choices=AnalyticStatus.choices, default=AnalyticStatus.PENDING)
    status_detail = models.CharField(max_length=300, blank=True)
    status_at = models.DateTimeField(null=True, blank=True)
    analysed_fps = models.FloatField(default=0.0)
    dropped_frames = models.BigIntegerField(default=0)
    last_result = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        db_table = "inference_analytic"
        ordering = ["stream_id", "position", "number"]
        constraints = [
            models.UniqueConstraint(fields=["stream", "number"], name="analytic_number_once"),
            models.CheckConstraint(
                condition=Q(rate_fps__gt=0) & Q(rate_fps__lte=60), name="analytic_rate_range"
            ),
            models.CheckConstraint(
                condition=Q(min_confidence__gte=0) & Q(min_confidence__lte=1), name="analytic_confidence_unit"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Track(models.Model):
    """One object over time. Partitioned by week over the id.

    `path` is `[[offset_ms, x, y], …]` of the box's foot point, `best_box` is `x1 y1 x2 y2`, both normalised.
    `zones` are the names of its analytic's regions that it stood in; sizes are shares of the picture's area.
    Kept 30 days.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account_id = models.UUIDField()
    camera_id = models.UUIDField()
    stream_id = models.UUIDField()
    analytic_id = models.UUIDField()
    analysis_id = models.UUIDField(null=True, blank=True)  # none: it was seen live
    number = models.BigIntegerField()
    label = models.CharField(max_length=64)
    confidence = models.FloatField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    is_live = models.BooleanField(default=True)
    best_at = models.DateTimeField()
    best_box = models.JSONField(default=list)
    crop = models.CharField(max_length=300, blank=True)
    path = models.JSONField(default=list, blank=True)
    hits = models.PositiveIntegerField(default=0)
    zones = models.JSONField(default=list, blank=True)
    size_min = models.FloatField(default=0.0)
    size_max = models.FloatField(default=0.0)
    top_speed_kmh = models.FloatField(null=True, blank=True)  # where the analytic's plane is calibrated

    class Meta:
        db_table = "inference_track"
        indexes = [
            models.Index(fields=["account_id", "-start"], name="track_newest"),
            models.Index(fields=["-start"], name="track_newest_of_all"),  # for the site's superusers
            models.Index(fields=["camera_id", "-start"], name="track_seen_by_camera"),
            models.Index(fields=["stream_id", "-start"], name="track_seen_on_stream"),
            models.Index(fields=["account_id", "label", "-start"], name="track_by_label"),
            models.Index(fields=["label", "-start"], name="track_of_label"),  # for the site's superusers
            models.Index(fields=["analytic_id", "number"], name="track_number"),
            models.Index(
                fields=["analysis_id"], condition=Q(analysis_id__isnull=False), name="track_of_analysis"
            ),
            GinIndex(
                fields=["zones"], opclasses=["jsonb_path_ops"], condition=~Q(zones=[]), name="track_in_zone"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.number}"


class EventKind(models.TextChoices):
    RULE = "rule"
    DETECTION = "detection"
    STREAM = "stream"
    SYSTEM = "system"


class Event(models.Model):
    """Something that happened, with a time. Partitioned by week over the id, kept 30 days.

    `cause_*` name what raised it; a rule's match goes on while `end` is empty.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account_id = models.UUIDField()
    camera_id = models.UUIDField(null=True, blank=True)
    stream_id = models.UUIDField(null=True, blank=True)
    kind = models.CharField(max_length=16, choices=EventKind.choices)
    cause_kind = models.CharField(max_length=16, blank=True)
    cause_id = models.UUIDField(null=True, blank=True)
    cause_name = models.CharField(max_length=120, blank=True)
    start = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True)
    label = models.CharField(max_length=64, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    track_id = models.UUIDField(null=True, blank=True)
    analysis_id = models.UUIDField(null=True, blank=True)  # none: it happened live
    box = models.JSONField(default=list, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    snapshot = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "inference_event"
        indexes = [
            models.Index(fields=["account_id", "-start"], name="event_newest"),
            models.Index(fields=["-start"], name="event_newest_of_all"),  # for the site's superusers
            models.Index(fields=["camera_id", "-start"], name="event_at_camera"),
            models.Index(fields=["stream_id", "-start"], name="event_on_stream"),
            models.Index(fields=["cause_id", "-start"], name="event_of_cause"),  # those of a rule
            models.Index(fields=["track_id"], condition=Q(track_id__isnull=False), name="event_of_track"),
            models.Index(
                fields=["analysis_id"], condition=Q(analysis_id__isnull=False), name="event_of_analysis"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.label}".strip()


class MinuteSummary(models.Model):
    """What a stream showed in one minute: motion (0-1) and labels seen with their counts. Kept 90 days."""

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    camera_id = models.UUIDField()
    stream_id = models.UUIDField()
    minute = models.DateTimeField()
    motion = models.FloatField(default=0.0)
    labels = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "inference_minute_summary"
        indexes = [models.Index(fields=["minute"], name="minute_summary_newest")]  # lists, and the clean-up
        constraints = [models.UniqueConstraint(fields=["stream_id", "minute"], name="minute_summary_once")]

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M}"
