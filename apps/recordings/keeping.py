"""How long and how much of each stream is kept: the policies, resolved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from apps.recordings import rolls
from apps.recordings.models import RetentionPolicy
from apps.streams.models import Stream
from omma_engine.retention import Ages

DEFAULT_AGE_HOURS = 7 * 24
DEFAULT_BYTES = 10 * (1 << 30)
_HOUR_US = 3600 * 1_000_000
_TRANSIENT_KEEP_FACTOR = 2


@dataclass(frozen=True, slots=True)
class StreamKeeping:
    """What is kept of one stream, and when it moves to the archive."""

    stream_id: UUID
    account_id: UUID
    camera_id: UUID
    ages: Ages
    transient_us: int
    archive_after: timedelta | None


@dataclass(frozen=True, slots=True)
class SizeLimit:
    """So many bytes of these streams together. `account_id` where it is an account's."""

    stream_ids: frozenset[UUID]
    max_bytes: int
    account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Keeping:
    """All that is decided by people, streams in order of their ids; the smallest limits first."""

    streams: Sequence[StreamKeeping]
    sizes: Sequence[SizeLimit]


def read_keeping() -> Keeping:
    """Return what is to be kept, as the policies say now."""
    streams = list(Stream.objects.order_by("id"))
    policies = {(one.account_id, one.camera_id, one.stream_id): one for one in RetentionPolicy.objects.all()}
    waits_s = rolls.seconds_wanted(streams)
    return Keeping(
        [_keeping_of(one, policies, waits_s[one.pk]) for one in streams], _sizes(streams, policies)
    )


_Policies = Mapping[tuple[UUID, UUID | None, UUID | None], RetentionPolicy]


def _keeping_of(stream: Stream, policies: _Policies, wait_s: float) -> StreamKeeping:
    account_id, camera_id = stream.account_id, stream.camera_id
    policy = (
        policies.get((account_id, camera_id, stream.pk))
        or policies.get((account_id, camera_id, None))
        or policies.get((account_id, None, None))
        or RetentionPolicy(max_age_hours=DEFAULT_AGE_HOURS)
    )
    motion_hours = policy.motion_age_hours or policy.max_age_hours
    hours = (policy.max_age_hours, motion_hours, policy.event_age_hours or motion_hours)
    after = policy.archive_after_hours
    return StreamKeeping(
        stream.pk,
        account_id,
        camera_id,
        Ages(*(one * _HOUR_US for one in hours)),
        transient_us=round(_TRANSIENT_KEEP_FACTOR * wait_s * 1_000_000),
        archive_after=None if after is None else timedelta(hours=after),
    )


def _sizes(streams: Sequence[Stream], policies: _Policies) -> list[SizeLimit]:
    """Return the limits of streams, then of cameras, then of accounts; every account has one."""
    limits = []
    for account_id, camera_id, stream_id in sorted(
        policies, key=lambda one: (one[2] is None, one[1] is None)
    ):
        ids = frozenset(
            one.pk
            for one in streams
            if one.account_id == account_id
            and camera_id in {None, one.camera_id}
            and stream_id in {None, one.pk}
        )
        policy = policies[account_id, camera_id, stream_id]
        limits.append(SizeLimit(ids, policy.max_bytes, account_id if camera_id is None else None))
    told = {one.account_id for one in limits if one.account_id}
    for account_id in sorted({one.account_id for one in streams} - told):
        ids = frozenset(one.pk for one in streams if one.account_id == account_id)
        limits.append(SizeLimit(ids, DEFAULT_BYTES, account_id))
    return limits
