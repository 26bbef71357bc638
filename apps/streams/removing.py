"""The footage of a removed camera: named in a job while its rows still exist, unlinked afterwards.

Only folders that such a job names are ever deleted: a folder that no row knows may be all that a lost
database left behind.
"""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts.access import Actor
from apps.cameras.models import Camera
from apps.core import jobs
from apps.core.exceptions import UnavailableError
from apps.core.leases import nudge
from apps.core.models import Lease, LeaseKind, Task
from apps.streams.models import Segment, Source, Stream, Volume, VolumeState
from apps.streams.stores.choosing import store_of
from apps.streams.volume_states import state_of

logger = logging.getLogger(__name__)

JOB = "remove_footage"
_AWAY = timedelta(minutes=10)  # between two looks for a volume that is away


def plan_removal(camera: Camera, actor: Actor) -> None:
    """Note which folders go with a camera; runs in the transaction that removes it."""
    streams = Stream.objects.filter(camera=camera).values_list("id", flat=True)
    sources = Source.objects.filter(camera=camera).values_list("id", flat=True)
    volumes = (
        Segment.objects.filter(stream_id__in=list(streams)).order_by().values_list("volume_id", flat=True)
    )
    jobs.enqueue(
        JOB,
        f"{JOB}:{camera.id}",
        {
            "streams": [str(one) for one in streams],
            "sources": [str(one) for one in sources],
            "volumes": [str(one) for one in volumes.distinct()],
        },
        account_id=camera.account_id,
        created_by=actor.user_id,
    )
    nudge(LeaseKind.SOURCE.value)


@jobs.handler(JOB, queue="retention")
def remove_footage(task: Task) -> dict[str, Any]:
    """Unlink the folders that the job names, once nothing writes there any more; may be repeated.

    Where a volume that has some of it is away, the job waits for it.
    """
    stream_ids = [UUID(one) for one in task.parameters["streams"]]
    source_ids = [UUID(one) for one in task.parameters["sources"]]
    if Stream.objects.filter(id__in=stream_ids).exists():
        return {"removed": 0}  # the camera is still there
    if Lease.objects.filter(object_id__in=source_ids, lease_until__gt=timezone.now()).exists():
        raise UnavailableError("The camera is still being recorded.")
    removed, away = 0, False
    for volume in Volume.objects.order_by("id"):
        if state_of(volume) in {VolumeState.READY, VolumeState.FULL}:
            store = store_of(volume)
            folders = [f"segments/{one}" for one in stream_ids] + [f"journal/{one}" for one in source_ids]
            removed += sum(store.delete_folder(one) for one in folders)
        else:
            away = away or str(volume.id) in task.parameters.get("volumes", [])
    Lease.objects.filter(object_id__in=source_ids, owner="").delete()
    if away:
        raise jobs.Unfinished(wait=_AWAY)
    return {"removed": removed}
