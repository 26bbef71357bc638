"""Open segments that nobody writes any more: their volume went away with them, and is back.

They are made whole from their files, as after a crash, and indexed like a child's late news.
"""

import logging
import socket
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from apps.streams.models import Segment, SegmentState, Volume, VolumeKind, VolumeState
from apps.streams.sinks import CaptureSink
from apps.streams.storage.losses import RECORDER_HAS_IT
from apps.streams.volume_choice import volumes_of_host
from apps.streams.volume_states import check_volumes
from omma_engine.capture.journal import journal_path
from omma_engine.errors import StorageError
from omma_engine.ports import NewsItem
from omma_engine.record.recover import recover_segment
from omma_engine.record.retelling import news_of_file
from omma_engine.supervise.capture_dialect import FROM_ABOVE
from omma_engine.supervise.capture_salvage import is_over

logger = logging.getLogger(__name__)

_AT_ONCE = 20


def look_after_volumes() -> int:
    """Look at this machine's volumes, and close what was forgotten on them; return how many segments."""
    host = socket.gethostname()
    check_volumes(host)
    rows = volumes_of_host(host, Volume.objects.filter(kind=VolumeKind.FOLDER).order_by("id"))
    return sum(close_forgotten(volume) for volume in rows if volume.state == VolumeState.READY)


def close_forgotten(volume: Volume, now: datetime | None = None) -> int:
    """Close the open segments of a volume that have no writer; return how many there were."""
    old = (now or timezone.now()) - RECORDER_HAS_IT
    rows = Segment.objects.filter(volume=volume, state=SegmentState.OPEN, end__lt=old)
    rows = rows.select_related("stream").defer("fragments").order_by("end")[:_AT_ONCE]
    return sum(_close(volume, row) for row in rows)


def _close(volume: Volume, row: Segment) -> bool:
    root = Path(volume.root)
    journal = journal_path(root, row.stream.source_id, row.epoch)
    if journal.exists() and not is_over(journal):
        return False  # its child lives, perhaps under a worker that is cut off
    try:
        recovered = recover_segment(root / row.path)
    except StorageError as error:
        logger.warning("segment %s stays open: %s", row.path, error)
        return False
    news = news_of_file(recovered, path=row.path, volume_id=str(volume.id))
    source_id = row.stream.source_id
    CaptureSink().fill([NewsItem(source_id, row.epoch, FROM_ABOVE, payload) for payload in news])
    return True
