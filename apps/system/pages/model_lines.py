"""Models as their pages show them: versions, where they work, and what is being made of them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.accounts.access import Action, Actor, Resource, may, visible
from apps.catalog.conversions import targets
from apps.catalog.models import Model, ModelConversion, ModelUpload, ModelVersion, Runtime, Training
from apps.core.models import Task, TaskState
from apps.inference.models import Analytic

RUNTIME_WORDS = {
    Runtime.OPENCV: gettext_lazy("built in (OpenCV)"),
    Runtime.ONNX: "ONNX",
    Runtime.ULTRALYTICS: "Ultralytics",
}
_WORK_WORDS = {
    TaskState.PENDING: gettext_lazy("waiting"),
    TaskState.RUNNING: gettext_lazy("being made"),
    TaskState.DONE: gettext_lazy("ready"),
    TaskState.FAILED: gettext_lazy("failed"),
    TaskState.CANCELLED: gettext_lazy("cancelled"),
}
_SHOWN_LABELS = 24


@dataclass(frozen=True, slots=True)
class Use:
    """A camera on which a version works, as far as the reader may see it."""

    version_id: UUID
    camera_id: UUID
    words: str


@dataclass(frozen=True, slots=True)
class ModelLine:
    """One model in the list."""

    row: Model
    is_own: bool
    newest: ModelVersion | None
    version_words: str
    label_words: str
    use_words: str


@dataclass(frozen=True, slots=True)
class Work:
    """A conversion or a training as lists show it."""

    id: UUID
    title: str
    state: str
    state_words: str
    percent: int
    error: str
    size_bytes: int = 0
    sha256: str = ""
    address: str = ""
    model_id: UUID | None = None

    @property
    def is_unfinished(self) -> bool:
        return self.state in {TaskState.PENDING, TaskState.RUNNING}


@dataclass(frozen=True, slots=True)
class UploadLine:
    """A file that is coming."""

    row: ModelUpload
    percent: int


@dataclass(slots=True)
class VersionLine:
    """One version on its model's page."""

    row: ModelVersion
    is_newest: bool
    runtime_words: str
    input_words: str
    labels: Sequence[str]
    more_labels: Sequence[str]
    uses: Sequence[Use]
    conversions: Sequence[Work] = ()
    targets: Sequence[tuple[str, str, str]] = ()
    forms: dict[str, object] = field(default_factory=dict)


def model_lines(actor: Actor) -> list[ModelLine]:
    """Return the models that the actor may see, their own before those of every account."""
    rows = visible(actor, Action.VIEW, Model.objects.prefetch_related("versions"), camera_path=None)
    shown = list(rows.order_by("name", "id"))
    uses = uses_of(actor, [version for row in shown for version in row.versions.all()])
    lines = [_model_line(row, uses) for row in shown]
    return sorted(lines, key=lambda line: not line.is_own)


def uses_of(actor: Actor, versions: Iterable[ModelVersion]) -> dict[UUID, list[Use]]:
    """Return where each version works, on the cameras that the actor may see."""
    found: dict[UUID, list[Use]] = defaultdict(list)
    rows = visible(
        actor,
        Action.VIEW,
        Analytic.objects.filter(model_version__in=[version.pk for version in versions]),
    )
    for row in rows.select_related("camera").order_by("camera__name", "number"):
        words = row.camera.name if row.is_enabled else _("%(name)s (off)") % {"name": row.camera.name}
        found[row.model_version_id].append(Use(row.model_version_id, row.camera_id, words))
    return found


def version_lines(actor: Actor, model: Model) -> list[VersionLine]:
    """Return a model's versions, newest first, with what was made of them."""
    versions = list(model.versions.order_by("-version"))
    uses = uses_of(actor, versions)
    made: dict[UUID, list[Work]] = defaultdict(list)
    rows = visible(actor, Action.VIEW, ModelConversion.objects.filter(version__in=versions), camera_path=None)
    titles = {target.name: target.title for target in targets()}
    for row in rows.select_related("task").order_by("created_at"):
        made[row.version_id].append(_conversion(row, titles))
    return [
        VersionLine(
            row=version,
            is_newest=number == 0,
            runtime_words=str(RUNTIME_WORDS.get(Runtime(version.runtime), version.runtime)),
            input_words=" \u00d7 ".join(str(side) for side in version.input_size_wh),
            labels=version.labels[:_SHOWN_LABELS],
            more_labels=version.labels[_SHOWN_LABELS:],
            uses=uses.get(version.pk, ()),
            conversions=made.get(version.pk, ()),
            targets=_targets_for(version),
        )
        for number, version in enumerate(versions)
    ]


def training_lines(actor: Actor) -> list[Work]:
    """Return the latest trainings."""
    rows = visible(actor, Action.VIEW, Training.objects.all(), camera_path=None)
    newest = rows.select_related("task", "version").order_by("-created_at", "-id")[:20]
    return [
        Work(
            id=row.pk,
            title=row.name,
            model_id=row.version.model_id if row.version is not None else None,
            **_state(row.task, is_made=row.version_id is not None),
        )
        for row in newest
    ]


def upload_lines(actor: Actor) -> list[UploadLine]:
    """Return the files that have not come whole yet."""
    rows = visible(actor, Action.MANAGE_MODELS, ModelUpload.objects.all(), camera_path=None)
    return [
        UploadLine(row, min(99, row.received_bytes * 100 // max(1, row.size_bytes)))
        for row in rows.order_by("-created_at", "-id")[:20]
    ]


def may_manage(actor: Actor, model: Model) -> bool:
    """Return whether the actor may change this model."""
    return may(actor, Action.MANAGE_MODELS, Resource(model.account_id, shows_cameras=False)).allowed


def _model_line(row: Model, uses: dict[UUID, list[Use]]) -> ModelLine:
    versions = sorted(row.versions.all(), key=lambda version: -version.version)
    newest = versions[0] if versions else None
    cameras = sorted({use.words for version in versions for use in uses.get(version.pk, ())})
    return ModelLine(
        row=row,
        is_own=row.account_id is not None,
        newest=newest,
        version_words=ngettext("%(n)d version", "%(n)d versions", len(versions)) % {"n": len(versions)},
        label_words=_few(newest.labels if newest is not None else [], 5),
        use_words=_few(cameras, 3),
    )


def _few(names: Sequence[str], most: int) -> str:
    shown = ", ".join(str(name) for name in names[:most])
    left = len(names) - most
    return shown if left <= 0 else _("%(names)s and %(n)d more") % {"names": shown, "n": left}


def _conversion(row: ModelConversion, titles: dict[str, str]) -> Work:
    return Work(
        id=row.pk,
        title=titles.get(row.target, row.target),
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        address=reverse("media-conversion", args=[row.pk]) if row.file else "",
        **_state(row.task, is_made=bool(row.file)),
    )


def _state(task: Task | None, *, is_made: bool) -> dict[str, Any]:
    state = TaskState.DONE if is_made or task is None else TaskState(task.state)
    progress = task.progress if task is not None else 1.0
    return {
        "state": str(state),
        "state_words": str(_WORK_WORDS[state]),
        "percent": 100 if state is TaskState.DONE else min(99, round(progress * 100)),
        "error": task.error if task is not None and state is TaskState.FAILED else "",
    }


def _targets_for(version: ModelVersion) -> list[tuple[str, str, str]]:
    """Return what this version can be made into: name, title, and what is missing for it."""
    if not version.file:
        return []
    return [(one.name, one.title, one.missing) for one in targets() if one.source_runtime == version.runtime]
