"""AI models and their versions. Built-in ones have no file."""

from django.db import models

from apps.accounts.models import Account
from apps.core.models import UuidModel


class Runtime(models.TextChoices):
    OPENCV = "opencv"
    ONNX = "onnx"


class ModelTask(models.TextChoices):
    DETECTION = "detection"
    MOTION = "motion"


class Model(UuidModel):
    """A named model; `account` is empty for those every account may use (the built-ins)."""

    account = models.ForeignKey(
        Account, null=True, blank=True, on_delete=models.CASCADE, related_name="models"
    )
    slug = models.SlugField(max_length=64)
    name = models.CharField(max_length=120)
    task = models.CharField(max_length=16, choices=ModelTask.choices, default=ModelTask.DETECTION)
    description = models.TextField(blank=True)
    licence = models.CharField(max_length=120, blank=True)
    origin = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "catalog_model"
        constraints = [
            models.UniqueConstraint(fields=["account", "slug"], name="model_slug_once", nulls_distinct=False),
        ]

    def __str__(self) -> str:
        return self.name


class ModelVersion(UuidModel):
    """One file (or built-in) that can be run. `file` is relative to the data folder's `models/`."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField(default=1)
    runtime = models.CharField(max_length=16, choices=Runtime.choices)
    builtin = models.CharField(max_length=32, blank=True)  # motion, people or faces
    file = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)
    labels = models.JSONField(default=list, blank=True)
    input_size_wh = models.JSONField(default=list, blank=True)
    parameters = models.JSONField(default=dict, blank=True)

    class Meta:
        db_table = "catalog_model_version"
        constraints = [models.UniqueConstraint(fields=["model", "version"], name="model_version_once")]

    def __str__(self) -> str:
        return f"{self.model} v{self.version}"
