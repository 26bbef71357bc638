"""Volumes whose disk reported an error: nobody goes on writing there while there is another."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.core.leases import nudge
from apps.core.models import LeaseKind
from apps.core.times import from_us
from apps.streams.models import Volume, VolumeState
from apps.streams.volume_states import DETAIL_LENGTH, tell

logger = logging.getLogger(__name__)

_OLD_NEWS = timedelta(minutes=10)


def note_failure(news: Mapping[str, Any]) -> None:
    """Note what a child said of a volume; in the transaction of its news.

    A volume that is failing already begins its rest anew.
    """
    now = timezone.now()
    volume = Volume.objects.filter(id=UUID(news["volume_id"])).first() if news["volume_id"] else None
    if volume is None or from_us(news["at_us"]) < now - _OLD_NEWS:
        return
    detail = f"its disk failed: {news['detail']}"[:DETAIL_LENGTH]
    is_new = volume.state != VolumeState.FAILING
    Volume.objects.filter(id=volume.id).update(
        state=VolumeState.FAILING, state_since=now, state_detail=detail
    )
    if is_new:
        logger.error("volume %s: %s", volume.name, detail)
        tell(volume, {"state": VolumeState.FAILING.value, "detail": detail})
        nudge(LeaseKind.SOURCE.value)
