"""What is done to analytics: create, change, delete."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Max

from apps.accounts.access import Action, Actor, Resource, require
from apps.catalog.models import ModelVersion
from apps.catalog.services import verify_version
from apps.core import audit, outbox
from apps.core.exceptions import InvalidInputError
from apps.core.leases import nudge
from apps.core.models import LeaseKind
from apps.inference import checks, match_news, result_news, track_news
from apps.inference.models import Analytic, AnalyticKind, AnalyticStatus
from apps.inference.regions import checked_mask, checked_regions
from apps.inference.schedules import checked_schedule
from apps.streams.models import Stream

CHANGEABLE = (
    "name", "label", "order", "is_enabled", "kind", "rate_fps", "min_confidence", "labels", "regions",
    "motion_mask", "plane", "schedule", "counting", "parameters",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewAnalytic:
    """A model on a stream, with what differs from the defaults."""

    stream: Stream
    model_version: ModelVersion
    name: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@transaction.atomic
def create_analytic(*, actor: Actor, wanted: NewAnalytic) -> Analytic:
    """Attach a model to a stream under the stream's next number."""
    stream, version = wanted.stream, wanted.model_version
    require(actor, Action.MANAGE_CAMERAS, Resource(stream.account_id, frozenset({stream.camera_id})))
    _require_model(actor, version, stream)
    Stream.objects.select_for_update().get(id=stream.id)  # numbers are given one at a time
    last = Analytic.objects.filter(stream=stream).aggregate(last=Max("number"))["last"]
    analytic = Analytic(
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream=stream,
        number=0 if last is None else last + 1,
        name=wanted.name.strip() or version.model.name,
        model_version=version,
    )
    _set_values(analytic, {"order": analytic.number, **wanted.values})
    analytic.save(force_insert=True)
    _tell(actor, analytic, "created")
    return analytic


def update_analytic(*, actor: Actor, analytic: Analytic, values: Mapping[str, Any]) -> Analytic:
    """Change an analytic; its host takes the change within about a second.

    Another model version is tried in a child first. Until it has run here, the one before is remembered, and
    comes back by itself when the new one fails (`status_news`).
    """
    require(actor, Action.MANAGE_CAMERAS, _resource(analytic))
    if "model_version" in values and values["model_version"].pk != analytic.model_version_id:
        _require_model(actor, values["model_version"], analytic.stream)
        verify_version(values["model_version"])
    return _update(actor, analytic, values)


@transaction.atomic
def _update(actor: Actor, analytic: Analytic, values: Mapping[str, Any]) -> Analytic:
    locked = (
        Analytic.objects.select_for_update(of=["self"])
        .select_related("model_version", "stream")
        .get(id=analytic.id)
    )
    if "model_version" in values:
        _swap(locked, values["model_version"])
    _set_values(locked, values)
    if not locked.is_enabled:
        locked.status, locked.status_detail, locked.analysed_fps = AnalyticStatus.STOPPED, "", 0.0
    elif locked.status == AnalyticStatus.STOPPED:
        locked.status = AnalyticStatus.PENDING
    locked.save()
    _tell(actor, locked, "updated", {"changed": sorted(values)})
    return locked


@transaction.atomic
def delete_analytic(*, actor: Actor, analytic: Analytic) -> None:
    """Delete an analytic; what it found stays, and what it was following ends."""
    require(actor, Action.MANAGE_CAMERAS, _resource(analytic))
    locked = Analytic.objects.select_for_update().get(id=analytic.id)
    match_news.end_leftovers(locked)
    result_news.end_leftovers(locked)
    track_news.close_leftovers(locked)
    _tell(actor, locked, "deleted")
    locked.delete()


def _swap(analytic: Analytic, version: ModelVersion) -> None:
    """Put another version in; the last one that ran is what is gone back to."""
    if version.pk == analytic.model_version_id:
        return
    good = analytic.previous_version or analytic.model_version
    analytic.previous_version = None if good.pk == version.pk else good
    analytic.model_version = version


def check_values(analytic: Analytic, values: Mapping[str, Any]) -> None:
    """Refuse what `update_analytic` would, for forms; the analytic given is changed and must not be saved."""
    _set_values(analytic, values)


def _set_values(analytic: Analytic, values: Mapping[str, Any]) -> None:
    """Check and set what is given; kind, labels, parameters and the model must fit each other afterwards."""
    unknown = set(values) - set(CHANGEABLE) - {"model_version"}
    if unknown:
        raise InvalidInputError("This cannot be set.", field=min(unknown))
    for name in ("is_enabled", "labels", "parameters", "counting"):
        if name in values:
            setattr(analytic, name, values[name])
    analytic.name = values.get("name", analytic.name).strip()
    if not analytic.name:
        raise InvalidInputError("An analytic needs a name.", field="name")
    stream = analytic.stream
    size_wh = (stream.width, stream.height)
    set_checked: dict[str, Callable[[Any], Any]] = {
        "label": checks.checked_label,
        "kind": checks.checked_kind,
        "rate_fps": checks.checked_rate,
        "min_confidence": checks.checked_confidence,
        "regions": lambda value: checked_regions(value, size_wh=size_wh),
        "motion_mask": lambda value: checked_mask(value, size_wh=size_wh),
        "plane": checks.checked_plane,
        "schedule": checked_schedule,
    }
    for name, check in set_checked.items():
        if name in values:
            setattr(analytic, name, check(values[name]))
    if "order" in values:
        analytic.position = checks.checked_position(values["order"])
    _fit_together(analytic)


def _fit_together(analytic: Analytic) -> None:
    version = analytic.model_version
    analytic.labels = checks.checked_labels(analytic.labels, version)
    if analytic.kind == AnalyticKind.PEOPLE_COUNT:
        analytic.labels = checks.counted_labels(analytic.labels, version)
    analytic.counting = checks.checked_counting(analytic.counting, analytic.kind)
    analytic.parameters = checks.checked_parameters(analytic.parameters, version)


def _require_model(actor: Actor, version: ModelVersion, stream: Stream) -> None:
    owner = version.model.account_id
    if owner is not None and owner != stream.account_id:
        raise InvalidInputError("There is no such model.", field="model_version")
    require(actor, Action.VIEW, Resource(owner, shows_cameras=False))


def _tell(actor: Actor, analytic: Analytic, what: str, detail: dict[str, object] | None = None) -> None:
    audit.record(
        actor.ref(),
        f"analytic.{what}",
        subject_kind="analytic",
        subject_id=analytic.id,
        subject_name=analytic.name,
        account_id=analytic.account_id,
        detail=detail,
    )
    outbox.publish(
        f"analytic.{what}",
        subject_kind="analytic",
        subject_id=analytic.id,
        account_id=analytic.account_id,
        camera_ids=[analytic.camera_id],
    )
    nudge(LeaseKind.ANALYTIC)


def _resource(analytic: Analytic) -> Resource:
    return Resource(analytic.account_id, frozenset({analytic.camera_id}))
