"""Which footage goes: a pure decision over rows. Deleting is somebody else's, and a separate step.

Decided over what is known to exist, so an empty index or a volume that is away deletes nothing. Never chosen:
open segments, segments that a held or growing recording touches, and segments on a volume that is not ours.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Reason(StrEnum):
    """Why a segment goes."""

    TRANSIENT = "transient"  # recorded in case of an event, and none came
    AGE = "age"
    CAMERA_SIZE = "camera_size"
    ACCOUNT_SIZE = "account_size"
    FREE_SPACE = "free_space"


@dataclass(frozen=True, slots=True)
class Footage:
    """One segment: `[start_us, end_us)` in UTC microseconds, `size_bytes` on its volume."""

    segment_id: UUID
    stream_id: UUID
    camera_id: UUID
    account_id: UUID
    volume_id: UUID
    start_us: int
    end_us: int
    size_bytes: int
    is_open: bool = False
    is_transient: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """A recording of a stream: what it touches is wanted, and for good while held or growing."""

    stream_id: UUID
    start_us: int
    end_us: int
    is_protected: bool


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much; None: without limit."""

    max_age_us: int | None = None
    max_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class VolumeFacts:
    """A volume that is present and ours; others are left out of the facts, and their footage alone."""

    volume_id: UUID
    free_bytes: int
    min_free_bytes: int


@dataclass(frozen=True, slots=True)
class RetentionFacts:
    """Everything the decision looks at. A camera without limits of its own has its account's age limit.

    `transient_keep_us` is how long transient footage of a stream is kept after its end.
    """

    now_us: int
    footage: Sequence[Footage]
    recordings: Sequence[Interval]
    volumes: Sequence[VolumeFacts]
    default_limits: Limits
    account_limits: Mapping[UUID, Limits] = field(default_factory=dict)
    camera_limits: Mapping[UUID, Limits] = field(default_factory=dict)
    transient_keep_us: Mapping[UUID, int] = field(default_factory=dict)
    default_transient_keep_us: int = 40_000_000


@dataclass(frozen=True, slots=True)
class RetentionDecision:
    """What goes and why, oldest first; and what cannot be met because the rest may not go."""

    doomed: Mapping[UUID, Reason]
    starved_volumes: Mapping[UUID, int]  # bytes that stay missing
    starved_accounts: Mapping[UUID, int]  # bytes that stay too many


def decide(facts: RetentionFacts) -> RetentionDecision:
    """Return what retention deletes now: useless and old footage first, then the oldest until sizes fit."""
    return _Decider(facts).decide()


class _Decider:
    def __init__(self, facts: RetentionFacts) -> None:
        self._facts = facts
        self._wanted = _Overlaps(facts.recordings)
        self._protected = _Overlaps([one for one in facts.recordings if one.is_protected])
        known = {volume.volume_id for volume in facts.volumes}
        self._present = [one for one in facts.footage if one.volume_id in known]
        self._oldest_first = sorted(
            (one for one in self._present if not one.is_open and not self._protected.touch(one)),
            key=lambda one: (one.start_us, one.segment_id),
        )
        self._doomed: dict[UUID, Reason] = {}

    def decide(self) -> RetentionDecision:
        for one in self._oldest_first:
            reason = self._reason_by_time(one)
            if reason is not None:
                self._doomed[one.segment_id] = reason
        self._shrink_cameras()
        starved_accounts = self._shrink_accounts()
        starved_volumes = self._make_room()
        return RetentionDecision(self._doomed, starved_volumes, starved_accounts)

    def _reason_by_time(self, one: Footage) -> Reason | None:
        age_us = self._facts.now_us - one.end_us
        limits = self._facts.camera_limits.get(one.camera_id) or self._account_limits(one.account_id)
        if limits.max_age_us is not None and age_us > limits.max_age_us:
            return Reason.AGE
        keep_us = self._facts.transient_keep_us.get(one.stream_id, self._facts.default_transient_keep_us)
        if one.is_transient and age_us > keep_us and not self._wanted.touch(one):
            return Reason.TRANSIENT
        return None

    def _account_limits(self, account_id: UUID) -> Limits:
        return self._facts.account_limits.get(account_id, self._facts.default_limits)

    def _shrink_cameras(self) -> None:
        for camera_id, limits in self._facts.camera_limits.items():
            if limits.max_bytes is not None:
                mine = [one for one in self._present if one.camera_id == camera_id]
                self._shrink(mine, limits.max_bytes, Reason.CAMERA_SIZE)

    def _shrink_accounts(self) -> dict[UUID, int]:
        by_account: dict[UUID, list[Footage]] = defaultdict(list)
        for one in self._present:
            by_account[one.account_id].append(one)
        starved = {}
        for account_id, mine in by_account.items():
            max_bytes = self._account_limits(account_id).max_bytes
            if max_bytes is not None:
                excess = self._shrink(mine, max_bytes, Reason.ACCOUNT_SIZE)
                starved.update({account_id: excess} if excess > 0 else {})
        return starved

    def _shrink(self, mine: Sequence[Footage], max_bytes: int, reason: Reason) -> int:
        """Doom the oldest of `mine` until they fit; return by how much they still do not."""
        excess = self._kept_bytes(mine) - max_bytes
        ids = {one.segment_id for one in mine}
        return self._doom_oldest((one for one in self._oldest_first if one.segment_id in ids), excess, reason)

    def _make_room(self) -> dict[UUID, int]:
        starved = {}
        for volume in self._facts.volumes:
            mine = [one for one in self._oldest_first if one.volume_id == volume.volume_id]
            coming = sum(one.size_bytes for one in mine if one.segment_id in self._doomed)
            missing = self._doom_oldest(
                mine, volume.min_free_bytes - volume.free_bytes - coming, Reason.FREE_SPACE
            )
            starved.update({volume.volume_id: missing} if missing > 0 else {})
        return starved

    def _doom_oldest(self, candidates: Iterable[Footage], missing: int, reason: Reason) -> int:
        for one in candidates:
            if missing <= 0:
                break
            if one.segment_id not in self._doomed:
                self._doomed[one.segment_id] = reason
                missing -= one.size_bytes
        return missing

    def _kept_bytes(self, mine: Sequence[Footage]) -> int:
        return sum(one.size_bytes for one in mine if one.segment_id not in self._doomed)


class _Overlaps:
    """Whether footage is touched by an interval of its stream."""

    def __init__(self, intervals: Iterable[Interval]) -> None:
        self._by_stream: dict[UUID, list[tuple[int, int]]] = defaultdict(list)
        for one in sorted(intervals, key=lambda one: one.start_us):
            merged = self._by_stream[one.stream_id]
            if merged and one.start_us <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], one.end_us))
            else:
                merged.append((one.start_us, one.end_us))

    def touch(self, one: Footage) -> bool:
        spans = self._by_stream.get(one.stream_id, ())
        index = bisect_right(spans, (one.end_us, -1)) - 1 if spans else -1
        return index >= 0 and spans[index][1] > one.start_us
