"""SpectraX's statistics over all recordings that may be played, added up in the database."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, F, Max, Min, Sum

from apps.dialects.boxes import Box
from apps.dialects.spectrax.cameras import camera_paths
from apps.dialects.spectrax.listing import Clips, clips_of
from apps.dialects.spectrax.times import utc_text

MOST_FREQUENT = 10
GIB = 1 << 30

# One look at what was detected: how often each class was, and in how many recordings each track.
_DETECTED = """
WITH found AS MATERIALIZED (
    SELECT clip.recording_id AS clip, one ->> 'class' AS class, (one ->> 'tracker_id')::bigint AS tracker
    FROM ({clips}) AS clip, jsonb_array_elements(clip.objects_detected) AS one
), trackers AS (
    SELECT tracker, count(DISTINCT clip) AS appearances FROM found WHERE tracker IS NOT NULL GROUP BY tracker
), frequent AS (
    SELECT tracker, appearances FROM trackers ORDER BY appearances DESC, tracker LIMIT {most}
)
SELECT (SELECT json_object_agg(class, n ORDER BY n DESC, class)
        FROM (SELECT class, count(*) AS n FROM found GROUP BY class) AS classes),
       (SELECT count(*) FROM trackers),
       (SELECT json_agg(json_build_object('tracker_id', tracker, 'appearances', appearances)
                        ORDER BY appearances DESC, tracker) FROM frequent)
"""


def recording_statistics(box: Box) -> dict[str, Any]:
    """Return what `/api/recordings/stats` answers; the cameras' figures add up to the totals exactly."""
    paths = camera_paths(box)
    clips = clips_of(box).filter(camera_id__in=list(paths))
    cameras = {row["camera_id"]: row for row in _by_camera(clips)}
    in_order = [(path, cameras[camera_id]) for camera_id, path in paths.items() if camera_id in cameras]
    size_bytes = sum(int(row["size"]) for row in cameras.values())
    return {
        "total_recordings": sum(row["count"] for row in cameras.values()),
        "total_duration_seconds": sum(_seconds(row) for row in cameras.values()),
        "total_size_bytes": size_bytes,
        "total_size_gb": round(size_bytes / GIB, 2),
        "oldest_recording": utc_text(min((row["oldest"] for row in cameras.values()), default=None)),
        "newest_recording": utc_text(max((row["newest"] for row in cameras.values()), default=None)),
        **_detected(clips),
        "by_camera": {
            path: {"count": row["count"], "duration_seconds": _seconds(row)} for path, row in in_order
        },
    }


def _by_camera(clips: Clips) -> list[dict[str, Any]]:
    rows: Any = clips.values("camera_id").order_by("camera_id")
    return list(
        rows.annotate(
            count=Count("pk"),
            size=Sum("size_bytes"),
            duration=Sum(F("recording__end") - F("recording__start")),
            oldest=Min("recording__start"),
            newest=Max("recording__start"),
        )
    )


def _seconds(row: dict[str, Any]) -> int:
    duration: timedelta = row["duration"]
    return round(duration.total_seconds())


def _detected(clips: Clips) -> dict[str, Any]:
    classes, unique, frequent = _look(clips)
    return {
        "objects": classes or {},
        "trackers": {"total_unique_ids": unique, "most_frequent": frequent or []},
    }


def _look(clips: Clips) -> tuple[Any, int, Any]:
    try:
        chosen, values = clips.values("recording_id", "objects_detected").query.sql_with_params()
    except EmptyResultSet:  # no camera may be seen, and Django asks nobody then
        return None, 0, None
    with connection.cursor() as cursor:
        cursor.execute(_DETECTED.format(clips=chosen, most=MOST_FREQUENT), values)
        classes, unique, frequent = cursor.fetchone()
    return classes, unique, frequent
