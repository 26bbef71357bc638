"""Cameras: devices with a driver, their sensors, and groups of them."""

from django.db import models
from django.db.models import Q

from apps.accounts.models import Account
from apps.core.models import UuidModel


class Driver(models.TextChoices):
    """How Omma talks to a camera; the value is the engine's `SourceKind`."""

    RTSP = "rtsp"
    HLS = "hls"
    MJPEG = "mjpeg"
    FILE = "file"
    V4L2 = "v4l2"
    SYNTHETIC = "synthetic"


IMPORTED = "import:"  # begins the address of a camera whose footage came as a file, and that is never opened


class Camera(UuidModel):
    """A device. `address` holds no credentials: those are in `secret`, encrypted and write-only."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="cameras")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=128)
    driver = models.CharField(max_length=16, choices=Driver.choices)
    address = models.CharField(max_length=1000)
    secret = models.BinaryField(null=True, blank=True, editable=False)
    options = models.JSONField(default=dict, blank=True)
    trusted_origin = models.CharField(max_length=300, blank=True, editable=False)
    identity = models.CharField(max_length=120, blank=True)  # serial number or MAC, where the driver knows it
    is_enabled = models.BooleanField(default=True)
    is_on_wall = models.BooleanField(default=True)

    class Meta:
        db_table = "cameras_camera"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["account", "number"], name="camera_number_once"),
            models.CheckConstraint(condition=~Q(name=""), name="camera_has_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_imported(self) -> bool:
        """Whether its footage came as a file: nothing opens it."""
        return self.address.startswith(IMPORTED)


class Sensor(UuidModel):
    """One eye of a camera."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    camera = models.ForeignKey(Camera, on_delete=models.CASCADE, related_name="sensors")
    name = models.CharField(max_length=32)
    kind = models.CharField(max_length=16, default="color")
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "cameras_sensor"
        constraints = [models.UniqueConstraint(fields=["camera", "name"], name="sensor_name_once")]

    def __str__(self) -> str:
        return self.name


class CameraGroup(UuidModel):
    """Cameras that are granted and watched together."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="camera_groups")
    name = models.CharField(max_length=120)
    cameras = models.ManyToManyField(Camera, related_name="groups", blank=True)

    class Meta:
        db_table = "cameras_camera_group"
        constraints = [models.UniqueConstraint(fields=["account", "name"], name="camera_group_name_once")]

    def __str__(self) -> str:
        return self.name
