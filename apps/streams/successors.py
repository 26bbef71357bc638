"""Handing over: whether the next owner of a source records already."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from apps.streams.coverage import id_floor
from apps.streams.models import Segment, Source, SourceStatus
from omma_engine.ports import Lease


def recording_successors(leases: Sequence[Lease]) -> set[UUID]:
    """Return the sources of which a newer epoch has committed a segment, or that record nothing."""
    ids = [lease.object_id for lease in leases]
    newest = dict(
        Segment.objects.filter(stream__source_id__in=ids, id__gte=id_floor(timezone.now()))
        .values_list("stream__source_id")
        .annotate(epoch=Max("epoch"))
    )
    idle = set(
        Source.objects.filter(id__in=ids).exclude(status=SourceStatus.LIVE).values_list("id", flat=True)
    )
    blocks = {lease.object_id: lease.epoch >> 20 for lease in leases}
    return {one for one in ids if one in idle or newest.get(one, 0) >> 20 > blocks[one]}
