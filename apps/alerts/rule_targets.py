"""Which rules tell which targets."""

from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.access import Action, Actor, require
from apps.alerts.models import RuleTarget, Target
from apps.alerts.services import visible_targets
from apps.core import audit
from apps.core.exceptions import InvalidInputError
from apps.rules.models import Rule
from apps.rules.services import resource_of as resource_of_rule


@transaction.atomic
def set_rule_targets(*, actor: Actor, rule: Rule, targets: Iterable[Target]) -> list[Target]:
    """Say which targets a rule tells: exactly these. Those that the actor may not see stay."""
    require(actor, Action.EDIT_RULES, resource_of_rule(rule))
    wanted = {target.pk: target for target in targets}
    known = {target.pk for target in visible_targets(actor).filter(account_id=rule.account_id, owner_kind="")}
    if not set(wanted) <= known:
        raise InvalidInputError("There is no such target.", field="targets")
    Rule.objects.select_for_update(of=("self",)).get(pk=rule.pk)
    RuleTarget.objects.filter(rule=rule, target__in=known - set(wanted)).delete()
    links = [RuleTarget(rule=rule, target=target) for target in wanted.values()]
    RuleTarget.objects.bulk_create(links, ignore_conflicts=True)
    audit.record(
        actor.ref(),
        "rule.targets_set",
        subject_kind="rule",
        subject_id=rule.pk,
        subject_name=rule.name,
        account_id=rule.account_id,
        detail={"targets": sorted(str(key) for key in wanted)},
    )
    return [wanted[key] for key in sorted(wanted)]


def targets_of_rule(actor: Actor, rule: Rule) -> QuerySet[Target]:
    """Return the targets that a rule tells, as far as the actor may see them."""
    return visible_targets(actor).filter(rules__rule=rule).order_by("name", "id")
