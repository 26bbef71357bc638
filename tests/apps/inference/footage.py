"""Footage of a stream, out of a video file, with its rows."""

import json
from datetime import UTC, datetime
from pathlib import Path

from apps.core.times import to_us
from apps.streams.models import Stream
from apps.streams.segment_news import SegmentKeeper
from apps.streams.volumes import ensure_default_volume
from omma_engine.importing.job import ImportJob, import_video

START = datetime(2026, 1, 1, tzinfo=UTC)


def store_footage(stream: Stream, video: Path, folder: Path, *, start: datetime = START) -> float:
    """Store a video as the stream's footage from `start` on, and return how many seconds that is."""
    volume = ensure_default_volume()
    job = ImportJob(video, Path(volume.root), str(volume.id), stream.id, to_us(start))
    told = json.loads(import_video(job, folder, lambda _share: None).read_text())
    keeper = SegmentKeeper({stream.id: stream}, is_fill=False)
    for news in told["news"]:
        {"segment_open": keeper.open, "segment_progress": keeper.progress, "segment_close": keeper.close}[
            news["kind"]
        ](news)
    keeper.save()
    return float(told["facts"]["duration_s"])
