"""The timeline's answer, put together by hand: thousands of spans and buckets are too many for serializers.

`TimelineSerializer` describes it; a test holds the two together.
"""

from datetime import UTC, datetime
from typing import Any

from apps.recordings.models import Recording
from apps.recordings.timeline.values import StreamTimeline, Timeline


def answer_of(timeline: Timeline) -> dict[str, Any]:
    """Return a timeline as JSON has it."""
    wanted = timeline.wanted
    return {
        "start": time_text(wanted.start),
        "end": time_text(wanted.end),
        "resolution_s": wanted.joined_s,
        "bucket_s": wanted.bucket_s,
        "has_all_recordings": timeline.has_all_recordings,
        "time_zone": wanted.zone.key,
        "days": [
            {"day": one.day.isoformat(), "start": time_text(one.start), "end": time_text(one.end)}
            for one in wanted.days
        ],
        "streams": [_stream(one) for one in timeline.streams],
    }


def time_text(moment: datetime) -> str:
    """Return a time as the API prints it.

    >>> time_text(datetime(2026, 1, 31, 12, tzinfo=UTC))
    '2026-01-31T12:00:00.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _stream(one: StreamTimeline) -> dict[str, Any]:
    return {
        "stream": str(one.stream_id),
        "camera": str(one.stream.camera_id),
        "name": one.stream.name,
        "recorded_s": one.recorded_s,
        "gap_s": one.gap_s,
        "covered": [
            {"start": time_text(span.start), "end": time_text(span.end), "recorded_s": span.recorded_s}
            for span in one.covered
        ],
        "gaps": [
            {
                "start": time_text(span.start),
                "end": time_text(span.end),
                "cause": span.cause,
                "gap_s": span.gap_s,
                "count": span.count,
            }
            for span in one.gaps
        ],
        "recordings": [_recording(row) for row in one.recordings],
        "buckets": one.buckets,
    }


def _recording(row: Recording) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "number": row.number,
        "name": row.name,
        "state": row.state,
        "start": time_text(row.start),
        "end": time_text(row.end),
        "cause_kind": row.cause_kind,
        "cause_name": row.cause_name,
        "labels": row.labels,
        "is_held": row.is_held,
    }
