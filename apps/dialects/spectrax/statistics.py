"""SpectraX's statistics over all recordings that may be played."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from apps.dialects.boxes import Box
from apps.dialects.spectrax.cameras import camera_paths
from apps.dialects.spectrax.listing import clips_of, tracker_ids
from apps.dialects.spectrax.models import DetectedObject
from apps.dialects.spectrax.times import utc_text

MOST_FREQUENT = 10
GIB = 1 << 30


@dataclass(slots=True)
class _Camera:
    count: int = 0
    duration: timedelta = timedelta()

    def seconds(self) -> int:
        return round(self.duration.total_seconds())


@dataclass(slots=True)
class _Totals:
    """Everything that is counted, one recording after the other: memory does not grow with their number."""

    size_bytes: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    objects: Counter[str] = field(default_factory=Counter)
    trackers: Counter[int] = field(default_factory=Counter)
    cameras: dict[str, _Camera] = field(default_factory=dict)

    def add(self, path: str, start: datetime, end: datetime, objects: list[DetectedObject]) -> None:
        self.oldest = min(self.oldest or start, start)
        self.newest = max(self.newest or start, start)
        self.objects.update(one["class"] for one in objects)
        self.trackers.update(tracker_ids(objects))
        camera = self.cameras.setdefault(path, _Camera())
        camera.count += 1
        camera.duration += end - start


def recording_statistics(box: Box) -> dict[str, Any]:
    """Return what `/api/recordings/stats` answers; the cameras' figures add up to the totals exactly."""
    totals = _Totals()
    paths = camera_paths(box)
    columns = ("camera_id", "size_bytes", "recording__start", "recording__end", "objects_detected")
    rows = clips_of(box).filter(camera_id__in=list(paths)).values_list(*columns)
    for camera_id, size_bytes, start, end, objects in rows.iterator(chunk_size=1000):
        totals.size_bytes += size_bytes
        totals.add(paths[camera_id], start, end, objects)
    in_order = [path for path in paths.values() if path in totals.cameras]
    return {
        "total_recordings": sum(one.count for one in totals.cameras.values()),
        "total_duration_seconds": sum(one.seconds() for one in totals.cameras.values()),
        "total_size_bytes": totals.size_bytes,
        "total_size_gb": round(totals.size_bytes / GIB, 2),
        "oldest_recording": utc_text(totals.oldest),
        "newest_recording": utc_text(totals.newest),
        "objects": dict(totals.objects.most_common()),
        "trackers": {
            "total_unique_ids": len(totals.trackers),
            "most_frequent": _most_frequent(totals.trackers),
        },
        "by_camera": {
            path: {"count": totals.cameras[path].count, "duration_seconds": totals.cameras[path].seconds()}
            for path in in_order
        },
    }


def _most_frequent(trackers: Counter[int]) -> list[dict[str, int]]:
    ranked = sorted(trackers.items(), key=lambda one: (-one[1], one[0]))
    return [{"tracker_id": number, "appearances": count} for number, count in ranked[:MOST_FREQUENT]]
