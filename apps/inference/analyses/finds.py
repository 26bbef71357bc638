"""What an analysis finds becomes rows that name it. Its ids are derived, so that a repeat changes nothing."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from apps.inference.analyses.models import Analysis
from apps.inference.models import Event, EventKind, MinuteSummary, Track
from apps.inference.moments import moment
from omma_engine.inference.counting import CountPhase, decode_counting
from omma_engine.inference.messages import HostNewsKind

_TRACK_FIELDS = [
    "label", "confidence", "end", "is_live", "best_at", "best_box", "crop", "path", "hits", "zones",
    "size_min", "size_max", "top_speed_kmh",
]  # fmt: skip
_EVENT_FIELDS = ["end", "label", "confidence", "box", "detail", "snapshot"]


def store(analysis: Analysis, payloads: Iterable[Mapping[str, Any]]) -> None:
    """Insert or replace what these pieces of news tell of."""
    tracks: dict[str, Track] = {}
    events: dict[str, Event] = {}
    for payload in payloads:
        match payload["kind"]:
            case HostNewsKind.TRACK_CLOSE:
                tracks[payload["track_id"]] = _track(analysis, payload)
            case HostNewsKind.MATCH:
                events[payload["event_id"]] = _match(analysis, payload)
            case HostNewsKind.RESULT if _is_crowd_over(analysis, payload):
                events[payload["event_id"]] = _crowd(analysis, payload)
            case HostNewsKind.MINUTE:
                _merge_minute(analysis, payload)
    Track.objects.bulk_create(
        tracks.values(), update_conflicts=True, unique_fields=["id"], update_fields=_TRACK_FIELDS
    )
    Event.objects.bulk_create(
        events.values(), update_conflicts=True, unique_fields=["id"], update_fields=_EVENT_FIELDS
    )


def _track(analysis: Analysis, payload: Mapping[str, Any]) -> Track:
    return Track(
        id=UUID(payload["track_id"]),
        account_id=analysis.account_id,
        camera_id=analysis.camera_id,
        stream_id=analysis.stream_id,
        analytic_id=UUID(payload["analytic_id"]),
        analysis_id=analysis.pk,
        number=payload["number"],
        label=payload["label"][:64],
        confidence=payload["confidence"],
        start=moment(payload["start_us"]),
        end=moment(payload["end_us"]),
        is_live=False,
        best_at=moment(payload["best_us"]),
        best_box=payload["best_box"],
        crop=payload["crop"],
        path=payload["path"],
        hits=payload["hits"],
        zones=payload["zones"],
        size_min=payload["size_min"],
        size_max=payload["size_max"],
        top_speed_kmh=payload["top_speed_kmh"],
    )


def _match(analysis: Analysis, payload: Mapping[str, Any]) -> Event:
    return Event(
        id=UUID(payload["event_id"]),
        **_place(analysis),
        kind=EventKind.RULE,
        cause_kind="rule",
        cause_id=UUID(payload["rule_id"]),
        cause_name=analysis.names.get(payload["rule_id"], "")[:120],
        start=moment(payload["at_us"]),
        end=moment(max(payload["at_us"], payload["until_us"])),
        label=payload["label"][:64],
        confidence=payload["confidence"],
        track_id=UUID(payload["track_id"]) if payload["track_id"] else None,
        box=payload["box"],
        snapshot=payload["snapshot"],
        detail={
            "analytic_id": payload["analytic_id"],
            "track_number": payload["track_number"],
            "until_us": payload["until_us"],
        },
    )


def _crowd(analysis: Analysis, payload: Mapping[str, Any]) -> Event:
    spec = _spec_of(analysis, payload)
    return Event(
        id=UUID(payload["event_id"]),
        **_place(analysis),
        kind=EventKind.DETECTION,
        cause_kind="analytic",
        cause_id=UUID(payload["analytic_id"]),
        cause_name=analysis.names.get(payload["analytic_id"], "")[:120],
        start=moment(payload["start_us"]),
        end=moment(max(payload["start_us"], payload["at_us"])),
        label=next(iter(spec["labels"]), "")[:64],
        snapshot=payload["image"],
        detail={"count": payload["count"], "highest": payload["highest"], "until_us": payload["at_us"]},
    )


def _place(analysis: Analysis) -> dict[str, UUID]:
    return {
        "account_id": analysis.account_id,
        "camera_id": analysis.camera_id,
        "stream_id": analysis.stream_id,
        "analysis_id": analysis.pk,
    }


def _is_crowd_over(analysis: Analysis, payload: Mapping[str, Any]) -> bool:
    counting = _spec_of(analysis, payload)["counting"]
    return payload["phase"] == CountPhase.END and decode_counting(counting or {}).is_bounded


def _spec_of(analysis: Analysis, payload: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(
        spec for spec in analysis.specs if spec["analytic_id"] == payload["analytic_id"]
    )
    return found


def _merge_minute(analysis: Analysis, payload: Mapping[str, Any]) -> None:
    """Merge a minute into the stream's; the larger figure counts, so a repeat adds nothing."""
    summary, _ = MinuteSummary.objects.select_for_update().get_or_create(
        stream_id=analysis.stream_id,
        minute=moment(payload["minute_us"]),
        defaults={"account_id": analysis.account_id, "camera_id": analysis.camera_id},
    )
    summary.motion = max(summary.motion, payload["motion"])
    for label, count in payload["labels"].items():
        summary.labels[label] = max(count, summary.labels.get(label, 0))
    summary.save(update_fields=["motion", "labels"])
