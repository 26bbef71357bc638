"""What inference throws away in time: old tracks and events with their pictures, and old minutes."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from apps.inference.analyses.cleaning import forget_gone
from apps.inference.models import Event, MinuteSummary, Track
from omma_engine.ids import uuid7_floor

FOUND_KEPT = timedelta(days=30)  # tracks and events
MINUTES_KEPT = timedelta(days=90)
BATCH = 5000


def clean_up(now: datetime | None = None) -> str:
    """Delete what is past its keeping time: the periodic job."""
    now = now or timezone.now()
    counts = {
        "tracks": _delete_before(Track, now - FOUND_KEPT),
        "events": _delete_before(Event, now - FOUND_KEPT),
        "analyses": forget_gone(now),
        "minutes": MinuteSummary.objects.filter(minute__lt=now - MINUTES_KEPT).delete()[0],
        "days of pictures": sum(_sweep_days(kind, now - FOUND_KEPT) for kind in ("tracks", "events")),
    }
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _delete_before(model: type[Model], limit: datetime) -> int:
    """Delete rows whose key is older, in batches, so that no lock is held for long."""
    oldest_kept = uuid7_floor(round(limit.timestamp() * 1000))
    total = 0
    while True:
        ids = list(
            model._default_manager.filter(pk__lt=oldest_kept, analysis_id=None).values_list("pk", flat=True)[
                :BATCH
            ]
        )
        if not ids:
            return total
        total += model._default_manager.filter(pk__in=ids).delete()[0]


def _sweep_days(kind: str, limit: datetime) -> int:
    """Delete the folders of whole days that have passed."""
    oldest_kept = limit.astimezone(UTC).strftime("%Y%m%d")
    folder = Path(settings.OMMA_DATA_DIR) / "thumbnails" / kind
    days = [day for day in folder.glob("[0-9]" * 8) if day.is_dir() and day.name < oldest_kept]
    for day in days:
        shutil.rmtree(day, ignore_errors=True)
    return len(days)
