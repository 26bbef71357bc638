"""Recordings (named intervals of a stream), exports, and how long footage is kept."""

from datetime import timedelta

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.models import Task, UuidModel
from apps.recordings.videos.models import Video as Video
from apps.streams.models import Stream

# Saved ranges are a day long at most, growing ones are split: how far back something can begin that goes on.
LONGEST_RECORDING = timedelta(hours=25)
# What `search` looks into; an index holds exactly this expression.
RECORDING_WORDS = SearchVector("name", "cause_name", config="simple")


class RecordingState(models.TextChoices):
    ACTIVE = "active"  # still growing
    DONE = "done"


class CauseKind(models.TextChoices):
    USER = "user"
    RULE = "rule"
    DIALECT = "dialect"


class Recording(UuidModel):
    """An interval `[start, end)` of a stream that somebody or some rule wanted; it owns no bytes.

    `start` is the last keyframe at or before `wanted_start`, and `end` grows with the footage up to `until`,
    which is empty while nobody has said when to stop. `cause_*` are a snapshot that survives the cause.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="recordings", db_index=False)
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="recordings", db_index=False)
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="recordings", db_index=False)
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=16, choices=RecordingState.choices, default=RecordingState.ACTIVE)
    wanted_start = models.DateTimeField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    trigger_at = models.DateTimeField(null=True, blank=True)
    best_at = models.DateTimeField(null=True, blank=True)  # the moment that the thumbnail shows
    cause_kind = models.CharField(max_length=16, choices=CauseKind.choices)
    cause_id = models.UUIDField(null=True, blank=True)
    cause_name = models.CharField(max_length=120, blank=True)
    labels = models.JSONField(default=list, blank=True)
    confidence = models.FloatField(null=True, blank=True)
    is_held = models.BooleanField(default=False)
    thumbnail = models.CharField(max_length=300, blank=True)
    continues = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        db_table = "recordings_recording"
        indexes = [
            models.Index(fields=["account", "-start"], name="recording_newest"),
            models.Index(fields=["-start"], name="recording_newest_of_all"),  # for the site's superusers
            models.Index(fields=["stream", "start"], name="recording_of_stream"),
            models.Index(fields=["camera", "-start"], name="recording_of_camera"),
            models.Index(fields=["cause_id", "-start"], name="recording_of_cause"),  # those of a rule
            models.Index(F("confidence").desc(nulls_last=True), F("id").desc(), name="recording_surest"),
            models.Index(fields=["-start"], condition=Q(is_held=True), name="recording_held"),
            GinIndex(RECORDING_WORDS, name="recording_words"),
            models.Index(fields=["state"], condition=Q(state="active"), name="recording_active"),
            GinIndex(
                fields=["labels"], opclasses=["jsonb_path_ops"], name="recording_labels"
            ),  # the label filter
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="recording_number_once"),
            models.CheckConstraint(condition=Q(end__gte=F("start")), name="recording_not_negative"),
            models.UniqueConstraint(  # overlapping causes share what grows; people's stay apart
                fields=["stream", "cause_kind"],
                condition=Q(state="active") & ~Q(cause_kind="user"),
                name="recording_one_growing",
            ),
        ]

    def __str__(self) -> str:
        return self.name or f"Recording {self.number}"


class RetentionPolicy(UuidModel):
    """How long footage is kept, by age, size and class, what comes first.

    It is about a stream, else about a camera, else the account's default. `max_age_hours` is about all
    footage; what moved, and what a recording touches, may be kept longer (never shorter). Held footage stays.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="retention_policies")
    camera = models.ForeignKey(Camera, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    stream = models.ForeignKey(Stream, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    max_age_hours = models.PositiveIntegerField(default=7 * 24)
    motion_age_hours = models.PositiveIntegerField(null=True, blank=True)  # none: as all footage
    event_age_hours = models.PositiveIntegerField(null=True, blank=True)  # none: as moved footage
    max_bytes = models.BigIntegerField(default=10 * (1 << 30))
    archive_after_hours = models.PositiveIntegerField(null=True, blank=True)  # none: stays where it is

    class Meta:
        db_table = "recordings_retention_policy"
        verbose_name_plural = "retention policies"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "camera", "stream"], name="retention_once", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(max_bytes__gt=0), name="retention_bytes_positive"),
            models.CheckConstraint(
                condition=Q(stream__isnull=True) | Q(camera__isnull=False), name="retention_camera_of_stream"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream or self.camera or self.account}: {self.max_age_hours} h"


class ExportState(models.TextChoices):
    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ExportKind(models.TextChoices):
    ZIP = "zip"
    TIMELAPSE = "timelapse"


class Export(UuidModel):
    """Some streams over one range as a zip of files, made by a job and kept a week.

    A time-lapse is one stream's: a picture every `every_s`, shown at `frame_rate`, at most `width` wide.
    Cameras and streams are plain ids: an export outlives them, and is shown only to who may play all of them.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="exports")
    kind = models.CharField(max_length=16, choices=ExportKind.choices, default=ExportKind.ZIP)
    every_s = models.FloatField(null=True, blank=True)
    frame_rate = models.PositiveSmallIntegerField(null=True, blank=True)
    width = models.PositiveSmallIntegerField(null=True, blank=True)
    camera_ids = models.JSONField(default=list)
    stream_ids = models.JSONField(default=list)
    name = models.CharField(max_length=200, blank=True)
    start = models.DateTimeField()
    end = models.DateTimeField()
    state = models.CharField(max_length=16, choices=ExportState.choices, default=ExportState.PENDING)
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    error = models.CharField(max_length=500, blank=True)
    error_code = models.CharField(max_length=32, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    file_count = models.PositiveIntegerField(default=0)
    damaged_count = models.PositiveIntegerField(default=0)  # files with a segment that is not as recorded
    gap_s = models.FloatField(default=0.0)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    created_by = models.UUIDField(null=True, blank=True)
    created_by_name = models.CharField(max_length=200, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "recordings_export"
        indexes = [
            models.Index(fields=["account", "-created_at"], name="export_newest"),
            models.Index(fields=["expires_at"], name="export_expiry"),  # the clean-up deletes by age
        ]
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="export_not_empty")]

    def __str__(self) -> str:
        return self.name or f"Export of {self.start:%Y-%m-%d %H:%M}"


class HourKind(models.TextChoices):
    STORED = "stored"  # footage
    SEEN = "seen"  # labels


class StoredHour(models.Model):
    """Sums of the finished segments of a stream that begin in an hour and lie on a volume.

    They say what the segments said when the hour was last summed; where a `ChangedHour` tells of that hour,
    the segments are asked instead. An hour without a segment has no row. `looked_at` is when retention last
    looked at the hour, for the ages in `looked_for`; never since it changed, when there is none.
    """

    stream_id = models.UUIDField()
    hour = models.DateTimeField()
    volume_id = models.UUIDField()
    segments = models.PositiveIntegerField()
    stored_bytes = models.BigIntegerField()
    recorded = models.DurationField()
    looked_at = models.DateTimeField(null=True, blank=True)
    looked_for = models.CharField(max_length=64, blank=True, db_default="")

    class Meta:
        db_table = "recordings_stored_hour"
        constraints = [
            models.UniqueConstraint(fields=["stream_id", "hour", "volume_id"], name="stored_hour_once")
        ]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} h: {self.segments} segments"


class SeenHour(models.Model):
    """Sums of a stream's minutes of one hour with one label, of the same kind as `StoredHour`."""

    stream_id = models.UUIDField()
    hour = models.DateTimeField()
    label = models.TextField()
    sightings = models.BigIntegerField()
    minutes = models.PositiveIntegerField()

    class Meta:
        db_table = "recordings_seen_hour"
        constraints = [models.UniqueConstraint(fields=["stream_id", "hour", "label"], name="seen_hour_once")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} h: {self.label}"


class ChangedHour(models.Model):
    """An hour of a stream that is to be summed anew.

    Written by triggers, in the transaction that changes a segment or a minute, whoever does it; never
    updated, so that nobody waits for anybody.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=8, choices=HourKind.choices)
    stream_id = models.UUIDField()
    hour = models.DateTimeField()

    class Meta:
        db_table = "recordings_changed_hour"
        indexes = [models.Index(fields=["hour"], name="changed_hour_oldest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.hour:%Y-%m-%d %H} h"
