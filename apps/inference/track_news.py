"""Tracks from news: each piece of news replaces what was known of a track."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from apps.core import outbox
from apps.inference import track_port
from apps.inference.models import Analytic, Track
from apps.inference.moments import moment
from omma_engine.inference.messages import HostNewsKind
from omma_engine.ports import NewsItem

_CHANGING = [
    "label", "confidence", "end", "is_live", "best_at", "best_box", "crop", "path", "hits",
    "zones", "size_min", "size_max", "top_speed_kmh",
]  # fmt: skip


def apply(analytic: Analytic, payloads: Iterable[Mapping[str, Any]]) -> None:
    """Insert or replace the tracks; of several pieces about one track the last counts."""
    newest = {payload["track_id"]: payload for payload in payloads}
    over = _newly_over(analytic, newest.values())
    Track.objects.bulk_create(
        [_track(analytic, payload) for payload in newest.values()],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_CHANGING,
    )
    for track_id in over:
        _tell(analytic, track_id)


def _newly_over(analytic: Analytic, payloads: Iterable[Mapping[str, Any]]) -> list[UUID]:
    """Return the tracks that end with this news, where somebody wants to know."""
    over = [UUID(one["track_id"]) for one in payloads if one["kind"] == HostNewsKind.TRACK_CLOSE]
    if not over or not track_port.is_wanted(analytic):
        return []
    known = set(Track.objects.filter(id__in=over, is_live=False).values_list("id", flat=True))
    return [track_id for track_id in over if track_id not in known]


def _tell(analytic: Analytic, track_id: UUID) -> None:
    outbox.publish(
        "track.closed",
        subject_kind="track",
        subject_id=track_id,
        account_id=analytic.account_id,
        camera_ids=[analytic.camera_id],
    )


def close_leftovers(analytic: Analytic, items: Iterable[NewsItem] = ()) -> None:
    """Close what an earlier life of this analytic left open; the new life's own tracks stay."""
    own = {UUID(item.payload["track_id"]) for item in items if "track_id" in item.payload}
    Track.objects.filter(analytic_id=analytic.id, is_live=True).exclude(id__in=own).update(is_live=False)


def _track(analytic: Analytic, payload: Mapping[str, Any]) -> Track:
    return Track(
        id=UUID(payload["track_id"]),
        account_id=analytic.account_id,
        camera_id=analytic.camera_id,
        stream_id=analytic.stream_id,
        analytic_id=analytic.id,
        number=payload["number"],
        label=payload["label"][:64],
        confidence=payload["confidence"],
        start=moment(payload["start_us"]),
        end=moment(payload["end_us"]),
        is_live=payload["kind"] != HostNewsKind.TRACK_CLOSE,
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
