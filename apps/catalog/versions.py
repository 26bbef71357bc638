"""What is done to single versions of models: default parameters, labels, and deleting one."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError

from apps.accounts.access import Actor
from apps.catalog import services
from apps.catalog.models import ModelVersion
from apps.catalog.parameters import checked_parameters
from apps.core.exceptions import ConflictError, InvalidInputError
from omma_engine.detect.metadata import checked_labels
from omma_engine.errors import ModelLayoutError

__all__ = ["delete_version", "update_version"]


@transaction.atomic
def update_version(
    *,
    actor: Actor,
    version: ModelVersion,
    parameters: Mapping[str, Any] | None = None,
    labels: Sequence[str] | None = None,
) -> ModelVersion:
    """Set the default parameters, or rename the classes of a file that names none itself."""
    services.require_model_rights(actor, version.model.account_id)
    locked = ModelVersion.objects.select_for_update(of=["self"]).select_related("model").get(pk=version.pk)
    if parameters is not None:
        locked.parameters = checked_parameters(parameters, locked.builtin)
    if labels is not None:
        locked.labels = _renamed(locked, labels)
    locked.save(update_fields=["parameters", "labels", "updated_at"])
    services.tell(actor, locked.model, "updated", {"version": locked.version})
    return locked


@transaction.atomic
def delete_version(*, actor: Actor, version: ModelVersion) -> None:
    """Delete a version and its file; refused for built-ins, the only one, and while an analytic uses it."""
    services.require_model_rights(actor, version.model.account_id)
    siblings = list(ModelVersion.objects.select_for_update().filter(model=version.model).order_by("id"))
    if version.builtin:
        raise ConflictError("A built-in model cannot be deleted.")
    if len(siblings) == 1:
        raise ConflictError("This is the model's only version; delete the model.")
    services.tell(actor, version.model, "updated", {"deleted_version": version.version})
    name = version.file
    try:
        version.delete()
    except ProtectedError as exc:
        raise ConflictError(
            "The version is in use; change its analytics first.",
            detail={"analytics": [str(row.pk) for row in exc.protected_objects][:20]},
        ) from exc
    transaction.on_commit(lambda: services.remove_unused({name} - {""}))


def _renamed(version: ModelVersion, labels: Sequence[str]) -> list[str]:
    if not all(label == f"class {number}" for number, label in enumerate(version.labels)) and not (
        version.facts.get("labels_given")
    ):
        raise InvalidInputError("The file names its classes itself.", field="labels")
    if len(labels) != len(version.labels) or len(set(labels)) != len(labels):
        raise InvalidInputError(f"Expected {len(version.labels)} different labels.", field="labels")
    try:
        found = checked_labels(labels)
    except ModelLayoutError as exc:
        raise InvalidInputError(f"{exc}.", field="labels") from exc
    version.facts = {**version.facts, "labels_given": True}
    version.save(update_fields=["facts"])
    return list(found)
