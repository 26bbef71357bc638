"""Handing over: whether the next owner of a source records already."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone

from apps.streams.coverage import id_floor
from apps.streams.models import Mode, Segment, Source, SourceStatus, Stream
from omma_engine.ports import Lease

_LONG_AWAY = timedelta(seconds=10)  # longer than a hand-over: what is not live since then was not before it


def recording_successors(leases: Sequence[Lease]) -> set[UUID]:
    """Return the sources of which a newer epoch has committed a segment, or of which nothing is recorded.

    The successor's own way to its first picture shows as a state that is not live: that alone is no reason
    to let go of a camera that is being recorded.
    """
    ids = [lease.object_id for lease in leases]
    now = timezone.now()
    newest = dict(
        Segment.objects.filter(stream__source_id__in=ids, id__gte=id_floor(now))
        .values_list("stream__source_id")
        .annotate(epoch=Max("epoch"))
    )
    is_away = ~Q(status=SourceStatus.LIVE) & (Q(status_at=None) | Q(status_at__lt=now - _LONG_AWAY))
    is_recorded = Exists(Stream.objects.filter(source=OuterRef("pk")).exclude(mode=Mode.OFF))
    idle = Source.objects.filter(is_away | ~is_recorded, id__in=ids)
    blocks = {lease.object_id: lease.epoch >> 20 for lease in leases}
    nothing_to_do = set(idle.values_list("id", flat=True))
    return {one for one in ids if one in nothing_to_do or newest.get(one, 0) >> 20 > blocks[one]}
