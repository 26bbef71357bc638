"""The models that need no file: their rows, made once and kept as this version of Omma describes them."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from apps.catalog.models import Model, ModelTask, ModelVersion, Runtime


@dataclass(frozen=True, slots=True)
class BuiltinModel:
    """One built-in; `slug` is also its name in the engine. Its ids are the same on every site."""

    slug: str
    name: str
    task: str
    label: str
    description: str
    model_id: UUID
    version_id: UUID


BUILTINS = (
    BuiltinModel(
        slug="motion",
        name="Motion",
        task=ModelTask.MOTION,
        label="motion",
        description="Areas that differ from a learnt background (OpenCV MOG2). Cheap on any camera.",
        model_id=UUID("01900000-0000-7000-8000-000000000001"),
        version_id=UUID("01900000-0000-7000-8000-000000000011"),
    ),
    BuiltinModel(
        slug="people",
        name="People",
        task=ModelTask.DETECTION,
        label="person",
        description="People on their feet, of about a quarter of the picture's height and more (OpenCV HOG).",
        model_id=UUID("01900000-0000-7000-8000-000000000002"),
        version_id=UUID("01900000-0000-7000-8000-000000000012"),
    ),
    BuiltinModel(
        slug="faces",
        name="Faces",
        task=ModelTask.DETECTION,
        label="face",
        description="Faces that look into the camera (OpenCV Haar cascade).",
        model_id=UUID("01900000-0000-7000-8000-000000000003"),
        version_id=UUID("01900000-0000-7000-8000-000000000013"),
    ),
)


@transaction.atomic
def ensure_builtins() -> list[ModelVersion]:
    """Make or correct the rows of the built-in models and return their versions, in order."""
    return [_ensure(builtin) for builtin in BUILTINS]


def builtin_version(slug: str) -> ModelVersion:
    """Return the version of a built-in model, making its row where it is missing."""
    builtin = next(item for item in BUILTINS if item.slug == slug)
    found = ModelVersion.objects.filter(id=builtin.version_id).select_related("model").first()
    return found or _ensure(builtin)


def _ensure(builtin: BuiltinModel) -> ModelVersion:
    model, _ = Model.objects.update_or_create(
        id=builtin.model_id,
        defaults={
            "account": None,
            "slug": builtin.slug,
            "name": builtin.name,
            "task": builtin.task,
            "description": builtin.description,
            "licence": "Apache-2.0",
            "origin": "OpenCV",
        },
    )
    version, _ = ModelVersion.objects.update_or_create(
        id=builtin.version_id,
        defaults={
            "model": model,
            "version": 1,
            "runtime": Runtime.OPENCV,
            "builtin": builtin.slug,
            "labels": [builtin.label],
        },
    )
    return version
