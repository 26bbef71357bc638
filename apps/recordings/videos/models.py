"""Video files on their way in, and what became of them."""

from django.db import models

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core.models import Task, UuidModel


class VideoState(models.TextChoices):
    RECEIVING = "receiving"  # parts are to come
    WAITING = "waiting"  # for its job, or in it
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Video(UuidModel):
    """A video from a file that is sent in parts, or from an address; its footage begins at `start`.

    `camera` is there once it is imported. `stream_id` is its stream's from the beginning, so that its files
    can be written before the rows. `facts` are what was found out about the file. `analysis` is what shall be
    looked for when it is there, and `analysis_id` the analysis that was begun then.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    camera = models.ForeignKey(Camera, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=VideoState.choices, default=VideoState.RECEIVING)
    address = models.CharField(max_length=2083, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    received_bytes = models.BigIntegerField(default=0)
    start = models.DateTimeField(null=True, blank=True)  # none: so that it ends when it is imported
    rotation = models.PositiveSmallIntegerField(null=True, blank=True)  # none: as the file says
    takes_damaged = models.BooleanField(default=False)
    stream_id = models.UUIDField()
    volume_id = models.UUIDField(null=True, blank=True)
    task = models.ForeignKey(Task, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    facts = models.JSONField(default=dict, blank=True)
    error = models.CharField(max_length=500, blank=True)
    error_code = models.CharField(max_length=32, blank=True)
    analysis = models.JSONField(default=dict, blank=True)
    analysis_id = models.UUIDField(null=True, blank=True)
    created_by = models.UUIDField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)  # when it is forgotten unless more of it comes

    class Meta:
        db_table = "recordings_video"
        indexes = [
            models.Index(fields=["account", "-created_at"], name="video_newest"),  # lists
            models.Index(fields=["expires_at"], name="video_expiry"),  # the clean-up
        ]

    def __str__(self) -> str:
        return self.name
