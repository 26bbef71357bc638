"""What was found in a video, as Luna tells it: events of each analytic, in seconds of the video."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from apps.core.times import to_us
from apps.dialects.luna.analytics import PEOPLE_COUNT
from apps.inference.analyses.models import Analysis
from apps.inference.analyses.results import findings_of
from apps.recordings.videos.models import Video
from omma_engine.inference.counting import decode_counting
from omma_engine.inference.messages import HostNewsKind

Finding = Mapping[str, Any]
WANTED = frozenset({HostNewsKind.TRACK_CLOSE.value, HostNewsKind.RESULT.value})


def results_of(video: Video, analysis: Analysis) -> dict[str, Any]:
    """Return the whole answer."""
    findings: list[Finding] = list(findings_of(analysis, kinds=WANTED))
    return {
        "video_data": _video_data(video, analysis),
        "analytics": [_analytic(spec, analysis, findings) for spec in analysis.specs],
    }


def _video_data(video: Video, analysis: Analysis) -> dict[str, Any]:
    facts, result = video.facts, analysis.result
    duration_s = round(analysis.footage_s, 3)
    frame_rate = float(facts.get("frame_rate") or 0.0)
    return {
        "frames_count": int(facts.get("pictures") or round(duration_s * frame_rate)),
        "frame_rate": frame_rate,
        "duration": duration_s,
        "error_count": result.get("decode_errors", 0) + result.get("unreadable_files", 0),
        "processed_frames": result.get("pictures", 0),
        "processed_parts": [{"start": 0.0, "end": duration_s}],
    }


def _analytic(spec: Mapping[str, Any], analysis: Analysis, findings: list[Finding]) -> dict[str, Any]:
    own = [one for one in findings if one["analytic_id"] == spec["analytic_id"]]
    begin_us = to_us(analysis.start)
    if spec["counting"]:
        has_places = decode_counting(spec["counting"]).coordinates
        return {"name": PEOPLE_COUNT, "events": _crowds(own, begin_us, has_places=has_places)}
    name = analysis.names.get(spec["analytic_id"], "")
    tracks = [one for one in own if one["kind"] == HostNewsKind.TRACK_CLOSE]
    return {"name": name, "events": [_track(one, begin_us) for one in tracks]}


def _crowds(findings: Iterable[Finding], begin_us: int, *, has_places: bool) -> list[dict[str, Any]]:
    """Return each crowd with its frames; what was counted highest stands for all of it."""
    counts = [one for one in findings if one["kind"] == HostNewsKind.RESULT]
    counts.sort(key=lambda one: (one["start_us"], one["event_id"], one["at_us"]))
    return [
        _crowd(list(rows), begin_us, has_places=has_places)
        for _, rows in groupby(counts, key=lambda one: one["event_id"])
    ]


def _crowd(rows: list[Finding], begin_us: int, *, has_places: bool) -> dict[str, Any]:
    highest = max(rows, key=lambda one: one["count"])
    return {
        "event_id": rows[0]["event_id"],
        "start": _seconds(rows[0]["start_us"], begin_us),
        "end": _seconds(rows[-1]["at_us"], begin_us),
        "frames_estimations": [_frame(row, begin_us, has_places=has_places) for row in rows],
        "aggregated_estimations": {
            "people_count": max(row["highest"] for row in rows),
            "overview": {
                "people_coordinates": _places(highest),
                "time_offset": _seconds(highest["at_us"], begin_us),
            },
        },
    }


def _frame(row: Finding, begin_us: int, *, has_places: bool) -> dict[str, Any]:
    places = {"people_coordinates": _places(row)} if has_places else {}
    return {"time_offset": _seconds(row["at_us"], begin_us), "people_count": row["count"], **places}


def _track(row: Finding, begin_us: int) -> dict[str, Any]:
    return {
        "track_id": row["number"],
        "start": _seconds(row["start_us"], begin_us),
        "end": _seconds(row["end_us"], begin_us),
        "frames_estimations": [],
        "aggregated_estimations": {"label": row["label"], "score": row["confidence"], "box": row["best_box"]},
    }


def _places(row: Finding) -> list[list[int]]:
    """Return where people stand, in pixels."""
    width, height = row["width"], row["height"]
    return [[round(x * width), round(y * height)] for x, y in row.get("coordinates", [])]


def _seconds(at_us: int, begin_us: int) -> float:
    return round((at_us - begin_us) / 1e6, 3)
