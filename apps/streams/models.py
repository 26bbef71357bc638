"""Sources and their streams, the segments on disk, the gaps between them, and the volumes that hold them."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.models import UuidModel
from apps.streams.life import Life
from omma_engine.ids import uuid7


class SourceStatus(models.TextChoices):
    """What the child last said: the engine's `SourceState`, plus `pending` before the first child."""

    PENDING = "pending"
    CONNECTING = "connecting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    ENDED = "ended"
    FAILED = "failed"
    STOPPED = "stopped"


class Source(UuidModel):
    """What is opened once: one child process, one lease, one or more streams.

    It runs while `is_wanted`. One that is not is paused, has given up after failures (and is started again at
    `restart_due_at`, if that is set), or was stopped. `restart_limit` counts automatic restarts; empty: its
    child goes on trying without end.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(max_length=32, default="main")
    address = models.CharField(max_length=1000, blank=True)  # empty: the camera's own
    options = models.JSONField(default=dict, blank=True)
    is_wanted = models.BooleanField(default=True)
    restart_serial = models.PositiveIntegerField(default=0)  # raised to restart the child
    labels = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=16, choices=SourceStatus.choices, default=SourceStatus.PENDING)
    status_code = models.CharField(max_length=32, blank=True)
    status_detail = models.CharField(max_length=300, blank=True)
    status_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)  # when it is tried again at the latest
    is_paused = models.BooleanField(default=False, db_default=False)
    paused_until = models.DateTimeField(null=True, blank=True)
    has_given_up = models.BooleanField(default=False, db_default=False)
    restart_limit = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(1000)]
    )
    restart_delay_s = models.FloatField(
        default=5.0, db_default=5.0, validators=[MinValueValidator(0), MaxValueValidator(86400)]
    )
    restart_attempt = models.PositiveIntegerField(default=0, db_default=0)
    restarted_at = models.DateTimeField(null=True, blank=True)
    restart_due_at = models.DateTimeField(null=True, blank=True)
    life = models.CharField(
        max_length=16, choices=Life.choices, default=Life.PENDING, db_default=Life.PENDING.value
    )
    life_code = models.CharField(max_length=32, blank=True, default="", db_default="")
    life_detail = models.CharField(max_length=300, blank=True, default="", db_default="")
    life_at = models.DateTimeField(null=True, blank=True)
    handler = models.CharField(max_length=120, blank=True, default="", db_default="")  # the worker it is with
    handler_block = models.BigIntegerField(null=True, blank=True)  # of its lease's epoch
    last_frame_at = models.DateTimeField(null=True, blank=True)  # as of its last change of state

    class Meta:
        db_table = "streams_source"
        constraints = [
            models.UniqueConstraint(fields=["camera", "name"], name="source_name_once"),
            models.CheckConstraint(
                condition=Q(is_wanted=False) | Q(is_paused=False, has_given_up=False),
                name="source_wanted_or_at_rest",
            ),
            models.CheckConstraint(
                condition=Q(restart_delay_s__gte=0) & Q(restart_delay_s__lte=86400),
                name="source_restart_delay_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.camera} · {self.name}"


class Mode(models.TextChoices):
    OFF = "off"
    CONTINUOUS = "continuous"
    EVENTS = "events"


class Stream(UuidModel):
    """One encoded image sequence of a source."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="streams")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="streams")
    name = models.CharField(max_length=32, default="main")
    mode = models.CharField(max_length=16, choices=Mode.choices, default=Mode.EVENTS)
    pre_roll_s = models.PositiveSmallIntegerField(default=10)
    post_roll_s = models.PositiveSmallIntegerField(default=10)
    codec = models.CharField(max_length=16, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    frame_rate = models.FloatField(default=0.0)
    has_audio = models.BooleanField(default=False)
    volume = models.ForeignKey(  # where it should go; none: to the ready volume with the most room
        "Volume", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        db_table = "streams_stream"
        constraints = [
            models.UniqueConstraint(fields=["camera", "name"], name="stream_name_once"),
            models.CheckConstraint(condition=Q(pre_roll_s__lte=300), name="stream_pre_roll_max"),
            models.CheckConstraint(condition=Q(post_roll_s__lte=300), name="stream_post_roll_max"),
        ]

    def __str__(self) -> str:
        return f"{self.camera} · {self.name}"


class StreamLog(models.Model):
    """What became of a source, entry by entry. Kept `OMMA_STREAM_LOG_DAYS`; a source's last entry always is.

    Without an `analytic_index` an entry is about the stream, and with it all of its analytics.
    """

    id = models.BigAutoField(primary_key=True)
    account_id = models.UUIDField()
    camera_id = models.UUIDField()
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="log")
    at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Life.choices)
    code = models.CharField(max_length=32, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    handler = models.CharField(max_length=120, blank=True, default="", db_default="")
    last_frame_at = models.DateTimeField(null=True, blank=True)
    analytic_index = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        db_table = "streams_stream_log"
        indexes = [
            models.Index(fields=["source", "-at"], name="stream_log_newest"),  # the camera page
            models.Index(fields=["account_id", "-at"], name="stream_log_of_account"),  # lists, newest first
            models.Index(fields=["at"], name="stream_log_age"),  # the clean-up deletes by age
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.detail}".strip()


class Installation(models.Model):
    """Which database this is, in one row; each volume's identity file names the one that it belongs to."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    is_only = models.BooleanField(default=True, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "streams_installation"

    def __str__(self) -> str:
        return str(self.id)


class VolumeState(models.TextChoices):
    READY = "ready"
    FULL = "full"
    FAILING = "failing"
    READ_ONLY = "read_only"
    MISSING = "missing"
    FOREIGN = "foreign"


class VolumeKind(models.TextChoices):
    FOLDER = "folder"
    S3 = "s3", "S3 bucket"


class VolumeTier(models.TextChoices):
    RECORDING = "recording"
    ARCHIVE = "archive"


class Volume(UuidModel):
    """A folder (or bucket) that holds segments, known by the identity file in it and not by its path.

    Cameras are recorded to volumes of the recording tier, and retention moves footage to the archive tier.
    `free_bytes`, `total_bytes` and `used_bytes` are as last looked at.
    """

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=16, choices=VolumeKind.choices, default=VolumeKind.FOLDER)
    tier = models.CharField(max_length=16, choices=VolumeTier.choices, default=VolumeTier.RECORDING)
    root = models.CharField(max_length=500, unique=True)  # a folder, or s3://bucket/prefix
    options = models.JSONField(default=dict, blank=True)  # of a bucket: endpoint and region
    secret = models.BinaryField(null=True, blank=True, editable=False)  # of a bucket: its sealed keys
    node_name = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=16, choices=VolumeState.choices, default=VolumeState.READY)
    state_detail = models.CharField(max_length=300, blank=True)
    state_since = models.DateTimeField(null=True, blank=True)
    is_default = models.BooleanField(default=False)
    max_bytes = models.BigIntegerField(null=True, blank=True)
    min_free_bytes = models.BigIntegerField(default=1 << 30)
    free_bytes = models.BigIntegerField(null=True, blank=True)
    total_bytes = models.BigIntegerField(null=True, blank=True)
    used_bytes = models.BigIntegerField(default=0)
    checked_at = models.DateTimeField(null=True, blank=True)
    scrubbed_to = models.UUIDField(null=True, blank=True)  # the segment that was read last
    scrubbed_at = models.DateTimeField(null=True, blank=True)  # when all of it had been read

    class Meta:
        db_table = "streams_volume"
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="volume_one_default"
            ),
            models.CheckConstraint(
                condition=Q(max_bytes__isnull=True) | Q(max_bytes__gt=0), name="volume_quota_positive"
            ),
            models.CheckConstraint(condition=Q(min_free_bytes__gte=0), name="volume_least_not_negative"),
        ]

    def __str__(self) -> str:
        return self.name


class SegmentState(models.TextChoices):
    OPEN = "open"
    CLOSED = "closed"
    RECOVERED = "recovered"
    GARBAGE = "garbage"


class Segment(models.Model):
    """One file of about a minute, partitioned by week over its derived id (`omma_engine.ids.segment_id`).

    Kept until retention deletes it. `fragments` is the index, a list of
    `[start_us after start, duration_us, offset, size, keyframe 0/1]`; readers use bytes below
    `durable_bytes`.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    account_id = models.UUIDField()
    camera_id = models.UUIDField()
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="segments", db_index=False)
    volume = models.ForeignKey(Volume, on_delete=models.PROTECT, related_name="segments", db_index=False)
    epoch = models.BigIntegerField()
    sequence = models.IntegerField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    start_ticks = models.BigIntegerField()
    time_base_num = models.IntegerField()
    time_base_den = models.IntegerField()
    rate_ppm = models.FloatField(default=0.0)
    clock = models.CharField(max_length=16)
    error_us = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=SegmentState.choices, default=SegmentState.OPEN)
    is_transient = models.BooleanField(default=False)
    is_damaged = models.BooleanField(default=False)  # not as it was recorded
    damaged_pictures = models.PositiveIntegerField(default=0, db_default=0)  # parts did not come
    camera_offset_us = models.BigIntegerField(default=0, db_default=0)  # the camera's clock against ours
    path = models.CharField(max_length=300)
    codec = models.CharField(max_length=16)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    has_audio = models.BooleanField(default=False)
    init_size = models.PositiveIntegerField()
    durable_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    fragments = models.JSONField(default=list, blank=True)

    class Meta:
        db_table = "streams_segment"
        indexes = [
            models.Index(  # playback, timeline and retention of a stream; sums of bytes read nothing else
                fields=["stream", "start"],
                include=["end", "durable_bytes", "volume", "state", "id"],
                name="segment_timeline",
            ),
            models.Index(  # what waits for an event, and goes when none comes
                fields=["stream", "start"], condition=Q(is_transient=True), name="segment_transient"
            ),
            models.Index(
                fields=["state"], condition=Q(state__in=["open", "garbage"]), name="segment_unfinished"
            ),
            models.Index(
                fields=["volume", "start"], name="segment_oldest"
            ),  # retention by size, oldest first
            models.Index(fields=["start"], name="segment_newest"),  # lists, newest first
        ]
        constraints = [
            models.CheckConstraint(condition=Q(end__gte=models.F("start")), name="segment_not_negative")
        ]

    def __str__(self) -> str:
        return self.path


class TransferState(models.TextChoices):
    COPYING = "copying"
    SWITCHED = "switched"


class Transfer(models.Model):
    """A segment on its way to another volume: while this row is there, one file too many may be.

    It lives from before the copy's first byte until the file that is left over is deleted.
    """

    segment_id = models.UUIDField(primary_key=True)
    source = models.ForeignKey(Volume, on_delete=models.PROTECT, related_name="+")
    target = models.ForeignKey(Volume, on_delete=models.PROTECT, related_name="+")
    path = models.CharField(max_length=300)
    state = models.CharField(max_length=16, choices=TransferState.choices, default=TransferState.COPYING)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "streams_transfer"

    def __str__(self) -> str:
        return f"{self.state} {self.path}"


class Gap(models.Model):
    """An explained hole in a stream, `[start, end)`; open while `end` is null. Partitioned like segments."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account_id = models.UUIDField()
    camera_id = models.UUIDField()
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="gaps", db_index=False)
    start = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True)
    cause = models.CharField(max_length=16)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "streams_gap"
        indexes = [
            models.Index(fields=["stream", "start"], name="gap_timeline"),
            models.Index(
                fields=["stream", "end"], name="gap_ends"
            ),  # what reaches into a range, open ones too
            models.Index(fields=["start"], name="gap_newest"),  # lists, newest first
        ]

    def __str__(self) -> str:
        return f"{self.cause} {self.start:%Y-%m-%d %H:%M:%S}"
