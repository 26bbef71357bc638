"""What model hosts and retention need to know of the rules: conditions on frames, names, and how far back."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from apps.inference.models import Analytic
from apps.rules.models import Rule
from apps.streams.models import Stream
from omma_engine.rules import FrameRule, decode_condition


def frame_rules_of(analytics: Sequence[Analytic]) -> dict[UUID, list[FrameRule]]:
    """Return the enabled rules' conditions, by the analytics on their cameras."""
    rules = _Rules({analytic.account_id for analytic in analytics})
    return {
        analytic.pk: [condition_of(rule) for rule in rules.of_camera(analytic.account_id, analytic.camera_id)]
        for analytic in analytics
    }


def names_of(rule_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the names of rules."""
    return dict(Rule.objects.filter(pk__in=list(rule_ids)).values_list("pk", "name"))


def seconds_wanted(streams: Sequence[Stream]) -> dict[UUID, float]:
    """Return how many seconds around an event the rules may want of each stream: before, during and after."""
    rules = _Rules({stream.account_id for stream in streams})
    return {
        stream.pk: max(
            (_seconds(rule, stream) for rule in rules.of_camera(stream.account_id, stream.camera_id)),
            default=0.0,
        )
        for stream in streams
    }


class _Rules:
    """The enabled rules of some accounts, looked up by camera."""

    def __init__(self, account_ids: Iterable[UUID]) -> None:
        self._general: Mapping[UUID, list[Rule]] = defaultdict(list)
        self._special: Mapping[UUID, list[Rule]] = defaultdict(list)
        rows = Rule.objects.filter(account_id__in=list(account_ids), is_enabled=True).prefetch_related(
            "cameras"
        )
        for rule in rows.order_by("pk"):
            if rule.all_cameras:
                self._general[rule.account_id].append(rule)
            for camera in rule.cameras.all():
                self._special[camera.pk].append(rule)

    def of_camera(self, account_id: UUID, camera_id: UUID) -> Iterator[Rule]:
        yield from self._general[account_id]
        yield from self._special[camera_id]


def condition_of(rule: Rule) -> FrameRule:
    """Return a rule as model hosts evaluate it."""
    return FrameRule(
        rule_id=rule.pk,
        labels=frozenset(rule.labels),
        min_confidence=rule.min_confidence,
        polygon=tuple((x, y) for x, y in rule.polygon),
        min_duration_s=rule.min_duration_s,
        condition=decode_condition(rule.condition),
    )


def _seconds(rule: Rule, stream: Stream) -> float:
    before_s = stream.pre_roll_s if rule.pre_roll_s is None else rule.pre_roll_s
    after_s = stream.post_roll_s if rule.post_roll_s is None else rule.post_roll_s
    return before_s + rule.min_duration_s + after_s if rule.records else 0.0
