"""AI models and their versions, and the long work that makes them. Built-in ones have no file."""

from django.db import models

from apps.accounts.models import Account
from apps.core.models import Task, UuidModel


class Runtime(models.TextChoices):
    OPENCV = "opencv"
    ONNX = "onnx"
    ULTRALYTICS = "ultralytics"


class ModelTask(models.TextChoices):
    DETECTION = "detection"
    CLASSIFICATION = "classification"
    SEGMENTATION = "segmentation"
    POSE = "pose"
    ORIENTED = "oriented"
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
    author = models.CharField(max_length=120, blank=True)

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
    parameters = models.JSONField(default=dict, blank=True)  # defaults; an analytic's own come over them
    facts = models.JSONField(default=dict, blank=True)  # head, nodes, opset, producer, max_batch, run_ms

    class Meta:
        db_table = "catalog_model_version"
        constraints = [models.UniqueConstraint(fields=["model", "version"], name="model_version_once")]

    def __str__(self) -> str:
        return f"{self.model} v{self.version}"


class UploadKind(models.TextChoices):
    MODEL = "model"
    DATASET = "dataset"


class ModelUpload(UuidModel):
    """A file that comes in parts. Kept until it is finished, or a day after its last part."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, choices=UploadKind.choices, default=UploadKind.MODEL)
    name = models.CharField(max_length=120)
    licence = models.CharField(max_length=120, blank=True)
    origin = models.CharField(max_length=300, blank=True)
    author = models.CharField(max_length=120, blank=True)
    labels = models.JSONField(default=list, blank=True)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    received_bytes = models.BigIntegerField(default=0)
    created_by = models.UUIDField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "catalog_upload"
        indexes = [models.Index(fields=["expires_at"], name="upload_expiry")]  # the clean-up

    def __str__(self) -> str:
        return self.name


class ModelConversion(UuidModel):
    """A model version in another format. `file` is relative to the data folder's `models/`."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="conversions")
    target = models.CharField(max_length=40)
    task = models.ForeignKey(Task, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.UUIDField(null=True, blank=True)
    file = models.CharField(max_length=300, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    size_bytes = models.BigIntegerField(default=0)

    class Meta:
        db_table = "catalog_conversion"
        indexes = [models.Index(fields=["account", "-created_at"], name="conversion_newest")]  # lists

    def __str__(self) -> str:
        return f"{self.version} as {self.target}"


class Training(UuidModel):
    """A model being trained on an uploaded dataset; what it gives is a version."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    architecture = models.CharField(max_length=60)
    dataset_sha256 = models.CharField(max_length=64)
    dataset_file = models.CharField(max_length=300)
    options = models.JSONField(default=dict, blank=True)
    task = models.ForeignKey(Task, null=True, on_delete=models.SET_NULL, related_name="+")
    version = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.UUIDField(null=True, blank=True)

    class Meta:
        db_table = "catalog_training"
        indexes = [models.Index(fields=["account", "-created_at"], name="training_newest")]  # lists

    def __str__(self) -> str:
        return self.name
