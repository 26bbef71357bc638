"""News told again: what a child would have said of a segment, read from the segment's file."""

from typing import Any

from omma_engine.capture.messages import NewsKind
from omma_engine.record.recover import RecoveredSegment


def news_of_file(found: RecoveredSegment, *, path: str, volume_id: str) -> list[dict[str, Any]]:
    """Return the news of a whole segment, from its opening to its end; `path` is relative to the volume."""
    label, common = found.index.label, {"segment_id": found.index.label.segment_id}
    fragments = [
        [one.start_us, one.duration_us, one.offset, one.size, int(one.is_keyframe)] for one in found.fragments
    ]
    opened = {
        **common,
        "kind": NewsKind.SEGMENT_OPEN.value,
        "stream_id": label.stream_id,
        "epoch": label.epoch,
        "sequence": label.sequence,
        "start_us": label.start_us,
        "start_ticks": label.start_ticks,
        "time_base": list(label.time_base),
        "rate_ppm": 0.0,
        "clock": label.clock,
        "error_us": label.error_us,
        "volume_id": volume_id,
        "path": path,
        "codec": label.codec,
        "width": label.width,
        "height": label.height,
        "has_audio": label.has_audio,
        "init_size": found.index.init_size,
        "is_transient": label.is_transient,
    }
    size = {"durable_bytes": found.durable_bytes, "end_us": found.end_us}
    grown = {**common, **size, "kind": NewsKind.SEGMENT_PROGRESS.value, "fragments": fragments}
    ended = {**common, **size, "kind": NewsKind.SEGMENT_CLOSE.value, "sha256": found.sha256}
    return [
        opened,
        {**grown, "error_us": label.error_us, "clock": label.clock},
        {**ended, "state": "recovered", "is_damaged": False},
    ]
