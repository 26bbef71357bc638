"""What analytics found, as Luna's callbacks and sockets tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.core.times import from_us
from apps.dialects.luna.models import LunaStream
from apps.dialects.luna.times import time_text
from apps.inference.models import Analytic
from omma_engine.inference.counting import CountPhase, decode_counting

CROWD, DETECTIONS, STATUS = "crowd", "detections", "stream_status"
_SAID = ("location", "source", "event_source_group")


@dataclass(frozen=True, slots=True)
class Teller:
    """The analytic whose finds are told, and what a client said of its stream."""

    analytic_id: UUID
    account_id: UUID
    stream_id: UUID
    index: int
    has_events: bool
    said: Mapping[str, Any]


def teller_of(analytic: Analytic) -> Teller:
    """Return what is needed to tell an analytic's finds."""
    luna = LunaStream.objects.filter(stream_id=analytic.stream_id).first()
    said = {name: getattr(luna, name) if luna else None for name in _SAID}
    return Teller(
        analytic_id=analytic.pk,
        account_id=analytic.account_id,
        stream_id=analytic.stream_id,
        index=analytic.number,
        has_events=decode_counting(analytic.counting).is_bounded,
        said=said,
    )


def crowd_body(result: Mapping[str, Any], teller: Teller) -> dict[str, Any]:
    """Return what a counting analytic saw; `result` is an `AnalyticResult`."""
    is_over = result["phase"] == CountPhase.END
    event = {
        "stream_id": str(teller.stream_id),
        "event_id": result["event_id"],
        "track_id": None,
        "analytic_index": teller.index,
        "people_count": result["count"],
        "overview": _overview(result, teller),
        **teller.said,
    }
    return {
        "event_type": CROWD,
        "account_id": str(teller.account_id),
        "event_create_time": time_text(from_us(result["start_us"])),
        "event_end_time": time_text(from_us(result["at_us"])) if is_over else None,
        "event": event,
    }


def detections_body(frame: Mapping[str, Any], teller: Teller) -> dict[str, Any]:
    """Return what a detector found in one picture; `frame` is a `DetectionFrame`."""
    size = (frame["width"], frame["height"])
    return {
        "event_type": DETECTIONS,
        "account_id": str(teller.account_id),
        "event": {
            "stream_id": str(teller.stream_id),
            "analytic_index": teller.index,
            "time": time_text(from_us(frame["capture_us"])),
            "detections": [
                {
                    "label": box["label"],
                    "score": box["confidence"],
                    "track_id": box["track"],
                    "rect": _rectangle(box["box"], *size),
                }
                for box in frame["boxes"]
            ],
            **teller.said,
        },
    }


def status_body(news: Mapping[str, Any], account_id: UUID) -> dict[str, Any]:
    """Return that a stream's status changed; `news` is the payload of `stream.status`."""
    return {
        "event_type": STATUS,
        "account_id": str(account_id),
        "event": {
            "stream_id": news["stream_id"],
            "status": news["status"],
            "error": news["error"] or None,
            "time": time_text(from_us(news["at_us"])),
        },
    }


def _overview(result: Mapping[str, Any], teller: Teller) -> dict[str, Any]:
    """Return places in pixels, the picture, and how far into the crowd it was taken, in seconds."""
    width, height = result["width"], result["height"]
    overview: dict[str, Any] = {"time_offset": (result["at_us"] - result["start_us"]) / 1e6}
    if "coordinates" in result:
        places = [[round(x * width), round(y * height)] for x, y in result["coordinates"]]
        overview["people_coordinates"] = places
    if "image" in result:
        has_picture = bool(result["image"]) and teller.has_events
        address = f"/media/v1/events/{result['event_id']}/snapshot.jpg"
        overview["image"] = address if has_picture else None
    return overview


def _rectangle(box: list[float], width: int, height: int) -> dict[str, int]:
    left, top, right, bottom = box
    return {
        "x": round(left * width),
        "y": round(top * height),
        "width": round((right - left) * width),
        "height": round((bottom - top) * height),
    }
