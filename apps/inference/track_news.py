"""Tracks from news: each piece of news replaces what was known of a track."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

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
    Track.objects.bulk_create(
        [_track(analytic, payload) for payload in newest.values()],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=_CHANGING,
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
