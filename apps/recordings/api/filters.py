"""Filters of recordings; a bad value is a 400 that names the field."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import django_filters
from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError

from apps.accounts.access import Action, actor_of, visible
from apps.cameras.models import Camera
from apps.core.api.filters import ManyIdsFilter, ManyWordsFilter, PartFilter, RangedFilterSet, TextFilter
from apps.inference.models import Track
from apps.recordings.models import LONGEST_RECORDING, RECORDING_WORDS, CauseKind, Recording, RecordingState

_WORD = re.compile(r"\w+")
_MAX_WORDS = 8
_MAX_CAMERAS = 200  # that a word may name


class RecordingFilter(RangedFilterSet):
    """`since` and `until` select what overlaps; `label` is one that was seen, given again any of them.

    `search` looks for words that begin so in names, causes, labels and names of cameras; all must be found.
    `track` selects what was recorded of a camera while it followed that object.
    """

    ends = ("since", "until")

    account = django_filters.UUIDFilter(field_name="account_id")
    camera = ManyIdsFilter(field_name="camera_id")
    stream = ManyIdsFilter(field_name="stream_id")
    state = django_filters.ChoiceFilter(choices=RecordingState.choices)
    since = django_filters.IsoDateTimeFilter(method="ending_after")
    until = django_filters.IsoDateTimeFilter(field_name="start", lookup_expr="lt")
    label = ManyWordsFilter(method="with_label")
    min_confidence = PartFilter(field_name="confidence", lookup_expr="gte")
    max_confidence = PartFilter(field_name="confidence", lookup_expr="lte")
    track = django_filters.UUIDFilter(method="of_track")
    cause_kind = django_filters.ChoiceFilter(choices=CauseKind.choices)
    cause = django_filters.UUIDFilter(field_name="cause_id")
    rule = django_filters.UUIDFilter(method="of_rule")
    held = django_filters.BooleanFilter(field_name="is_held")
    number = django_filters.NumberFilter(field_name="number", min_value=0, max_value=(1 << 31) - 1)
    search = TextFilter(method="with_text")

    class Meta:
        model = Recording
        fields = ["account", "camera", "stream", "state", "held", "number"]

    def ending_after(self, rows: QuerySet[Recording], name: str, value: datetime) -> QuerySet[Recording]:
        """Bound the start too, which is what the indexes know."""
        return rows.filter(end__gt=value, start__gt=value - LONGEST_RECORDING)

    def with_label(self, rows: QuerySet[Recording], name: str, value: list[str]) -> QuerySet[Recording]:
        seen = Q()
        for label in value:
            seen |= Q(labels__contains=[label])
        return rows.filter(seen)

    def of_rule(self, rows: QuerySet[Recording], name: str, value: UUID) -> QuerySet[Recording]:
        return rows.filter(cause_kind=CauseKind.RULE, cause_id=value)

    def of_track(self, rows: QuerySet[Recording], name: str, value: UUID) -> QuerySet[Recording]:
        """Foreign and absent tracks answer alike."""
        seen = visible(actor_of(self.request), Action.PLAYBACK, Track.objects.filter(pk=value))
        track = seen.values("camera_id", "start", "end").first()
        if track is None:
            raise ValidationError({"track": ["There is no such track."]})
        first, last = track["start"], track["end"]
        overlapping = rows.filter(end__gt=first, start__gt=first - LONGEST_RECORDING, start__lte=last)
        return overlapping.filter(camera_id=track["camera_id"])

    def with_text(self, rows: QuerySet[Recording], name: str, value: str) -> QuerySet[Recording]:
        words = _WORD.findall(value.lower())
        if not words:
            return rows.none()
        if len(words) > _MAX_WORDS:
            raise ValidationError({"search": [f"{_MAX_WORDS} words at most."]})
        rows = rows.alias(words=RECORDING_WORDS)
        for word in words:
            rows = rows.filter(self._word(word))
        return rows

    def _word(self, word: str) -> Q:
        named: Any = Camera.objects.filter(name__icontains=word).values_list("pk", flat=True)
        begins = SearchQuery(f"'{word}':*", config="simple", search_type="raw")
        # The ids are looked up first: with a subquery in it, no index serves the three together.
        return Q(words=begins) | Q(labels__contains=[word]) | Q(camera_id__in=list(named[:_MAX_CAMERAS]))
