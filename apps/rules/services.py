"""What people do with rules: list, create, change and delete them."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.access import Action, Actor, Resource, require, visible
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.core import audit, outbox
from apps.core.exceptions import InvalidInputError
from apps.core.leases import nudge
from apps.core.models import LeaseKind
from apps.rules.checks import (
    MAX_COOLDOWN_S,
    MAX_DURATION_S,
    checked_cameras,
    checked_condition,
    checked_labels,
    checked_name,
    checked_number,
    checked_polygon,
    checked_roll,
    refuse_misfits,
)
from apps.rules.models import Rule

CHANGEABLE = (
    "name", "is_enabled", "labels", "min_confidence", "polygon", "min_duration_s", "condition", "cooldown_s",
    "records", "pre_roll_s", "post_roll_s",
)  # fmt: skip


def visible_rules(actor: Actor) -> QuerySet[Rule]:
    """Return the rules that the actor may see: those whose cameras they may all see."""
    return visible(actor, Action.VIEW, Rule.objects.all(), camera_path="cameras")


def resource_of(rule: Rule) -> Resource:
    """Return a rule as what is asked for: its cameras, or the whole account."""
    return Resource(rule.account_id, frozenset(rule.cameras.values_list("pk", flat=True)))


@transaction.atomic
def create_rule(*, actor: Actor, account: Account, **values: Any) -> Rule:
    """Create a rule from `CHANGEABLE` values, and `cameras` or `all_cameras`. Refusals name the field."""
    all_cameras = bool(values.pop("all_cameras", False))
    cameras = checked_cameras(values.pop("cameras", ()), account, all_cameras=all_cameras)
    _require(actor, account, cameras)
    rule = Rule(account=account, all_cameras=all_cameras)
    _set_values(rule, {"name": "", "labels": [], **values})
    rule.save(force_insert=True)
    rule.cameras.set(cameras)
    _tell(actor, rule, "created")
    return rule


@transaction.atomic
def update_rule(*, actor: Actor, rule: Rule, **values: Any) -> Rule:
    """Change a rule; naming cameras makes it one about these only. Hosts take it within about a second."""
    require(actor, Action.EDIT_RULES, resource_of(rule))
    locked = Rule.objects.select_for_update(of=("self",)).select_related("account").get(pk=rule.pk)
    changed = sorted(values)
    if "cameras" in values or "all_cameras" in values:
        locked.all_cameras = bool(values.pop("all_cameras", False))
        wanted = values.pop("cameras", locked.cameras.all())
        cameras = checked_cameras(wanted, locked.account, all_cameras=locked.all_cameras)
        _require(actor, locked.account, cameras)
        locked.cameras.set(cameras)
    _set_values(locked, values)
    locked.save()
    _tell(actor, locked, "updated", {"changed": changed})
    return locked


@transaction.atomic
def delete_rule(*, actor: Actor, rule: Rule) -> None:
    """Delete a rule; the events and recordings it made stay."""
    require(actor, Action.EDIT_RULES, resource_of(rule))
    locked = Rule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    _tell(actor, locked, "deleted")
    locked.delete()


def check_values(account: Account, values: dict[str, Any]) -> None:
    """Refuse what `update_rule` would, without changing anything: for forms."""
    cameras = values.get("cameras") or ()
    checked_cameras(cameras, account, all_cameras=bool(values.get("all_cameras")))
    _set_values(Rule(account=account), {name: values[name] for name in CHANGEABLE if name in values})


def _set_values(rule: Rule, values: dict[str, Any]) -> None:
    unknown = set(values) - set(CHANGEABLE)
    if unknown:
        raise InvalidInputError("This cannot be set.", field=min(unknown))
    checks: dict[str, Callable[[Any], object]] = {
        "name": checked_name,
        "labels": checked_labels,
        "polygon": checked_polygon,
        "condition": checked_condition,
        "min_confidence": lambda value: checked_number(value, "min_confidence", 1.0),
        "min_duration_s": lambda value: checked_number(value, "min_duration_s", MAX_DURATION_S),
        "cooldown_s": lambda value: checked_number(value, "cooldown_s", MAX_COOLDOWN_S),
        "pre_roll_s": lambda value: checked_roll(value, "pre_roll_s"),
        "post_roll_s": lambda value: checked_roll(value, "post_roll_s"),
        "is_enabled": bool,
        "records": bool,
    }
    for name in CHANGEABLE:
        if name in values:
            setattr(rule, name, checks[name](values[name]))
    refuse_misfits(rule.condition, labels=rule.labels, min_duration_s=rule.min_duration_s)


def _require(actor: Actor, account: Account, cameras: list[Camera]) -> None:
    """Ask for the right on each camera; on all of the account's where none is named."""
    require(actor, Action.EDIT_RULES, Resource(account.pk, frozenset(camera.pk for camera in cameras)))


def _tell(actor: Actor, rule: Rule, what: str, detail: dict[str, object] | None = None) -> None:
    audit.record(
        actor.ref(),
        f"rule.{what}",
        subject_kind="rule",
        subject_id=rule.pk,
        subject_name=rule.name,
        account_id=rule.account_id,
        detail=detail,
    )
    outbox.publish(
        f"rule.{what}",
        subject_kind="rule",
        subject_id=rule.pk,
        account_id=rule.account_id,
        camera_ids=rule.cameras.values_list("pk", flat=True),
    )
    nudge(LeaseKind.ANALYTIC)
