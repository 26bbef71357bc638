"""SpectraX's own database: an SQLite file with its one table, for tools that open that instead of the API."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.utils import timezone

from apps.dialects.boxes import Box
from apps.dialects.spectrax.cameras import camera_paths
from apps.dialects.spectrax.files import video_name
from apps.dialects.spectrax.listing import FILES, clips_of, tracker_ids_text
from apps.dialects.spectrax.times import naive_text

_TABLE = """
CREATE TABLE recordings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL,
    stream_path TEXT NOT NULL,
    duration_seconds REAL,
    file_path TEXT NOT NULL,
    file_size_bytes INTEGER,
    objects_detected TEXT,
    tracker_ids TEXT,
    max_confidence REAL,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_timestamp ON recordings(timestamp);
CREATE INDEX idx_stream_path ON recordings(stream_path);
CREATE INDEX idx_tracker_ids ON recordings(tracker_ids);
"""
_INSERT = "INSERT INTO recordings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def export_sqlite(box: Box, target: Path) -> int:
    """Write an account's recordings to an SQLite file, whole or not at all; return how many they are."""
    waiting = target.with_name(f".{target.name}.part")
    waiting.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(waiting)) as database, database:
            database.executescript(_TABLE)
            count = database.executemany(_INSERT, _rows(box)).rowcount
        waiting.replace(target)
    finally:
        waiting.unlink(missing_ok=True)
    return max(0, count)


def _rows(box: Box) -> Iterator[tuple[Any, ...]]:
    paths = camera_paths(box)
    created_at = f"{timezone.now():%Y-%m-%d %H:%M:%S}"
    clips = clips_of(box).select_related("recording").order_by("recording__number")
    for clip in clips.iterator(chunk_size=1000):
        path, recording = paths[clip.camera_id], clip.recording
        yield (
            recording.number,
            naive_text(recording.start),
            path,
            (recording.end - recording.start).total_seconds(),
            FILES + video_name(recording, path),
            clip.size_bytes,
            json.dumps(clip.objects_detected),
            tracker_ids_text(clip),
            clip.confidence,
            created_at,
        )
