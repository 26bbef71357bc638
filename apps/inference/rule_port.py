"""The port through which a higher app supplies the conditions that are evaluated on every frame."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from uuid import UUID

from apps.inference.models import Analytic
from omma_engine.rules import FrameRule

FrameRulesProvider = Callable[[Sequence[Analytic]], Mapping[UUID, Sequence[FrameRule]]]
RuleNamesProvider = Callable[[Iterable[UUID]], Mapping[UUID, str]]

_frame_rules: list[FrameRulesProvider] = []
_rule_names: list[RuleNamesProvider] = []


def register_frame_rules(provider: FrameRulesProvider) -> None:
    """Say who knows the conditions of analytics, by analytic id. In `AppConfig.ready`."""
    _frame_rules[:] = [provider]


def register_rule_names(provider: RuleNamesProvider) -> None:
    """Say who knows what rules are called: events keep the name. In `AppConfig.ready`."""
    _rule_names[:] = [provider]


def frame_rules(analytics: Sequence[Analytic]) -> Mapping[UUID, Sequence[FrameRule]]:
    """Return the conditions of these analytics; none where nobody supplies any."""
    return _frame_rules[0](analytics) if _frame_rules else {}


def rule_names(rule_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Return the names of these rules, as far as somebody knows them."""
    return _rule_names[0](rule_ids) if _rule_names else {}
