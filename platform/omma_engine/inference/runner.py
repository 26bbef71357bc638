"""One analytic at work: from detections to tracks, matches, summaries and live results."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np

from omma_engine.detect.base import Detections, Picture
from omma_engine.ids import uuid7
from omma_engine.inference.attention import CLOCK_STEP_US, Attention
from omma_engine.inference.frames import PictureToAnalyse
from omma_engine.inference.headcount import Headcount
from omma_engine.inference.live_results import live_message
from omma_engine.inference.messages import HostNewsKind, MatchNews, TrackNews
from omma_engine.inference.minutes import MinuteBook
from omma_engine.inference.pictures import PictureStore, crop_of
from omma_engine.inference.places import Places, standing_point
from omma_engine.inference.spec import AnalyticSpec
from omma_engine.rules import NO_TRACK, FrameRule, Match, MatchPhase, RuleEvaluator, SeenObject
from omma_engine.track.base import Tracker
from omma_engine.track.byte_track import ByteTracker
from omma_engine.track.episodes import EpisodeTracker
from omma_engine.track.lives import NumberedBox, TrackChange, TrackLives, TrackPhase

logger = logging.getLogger(__name__)

_WEAK_SHARE = 0.5  # boxes down to this share of the threshold may carry a track on

News = dict[str, Any]


@dataclass(slots=True)
class _MatchLife:
    """What is remembered of a match from its start to its end."""

    event_id: UUID
    track_id: UUID | None  # none where no track matches, but a number of them
    snapshot: str


@dataclass(slots=True)
class Outcome:
    """What one picture gave: news for the database, and a message for whoever watches."""

    news: list[News] = field(default_factory=list)
    live: News = field(default_factory=dict)


class AnalyticRunner:
    """Holds all state of one analytic. Used by the analysing thread only."""

    def __init__(self, spec: AnalyticSpec, *, pictures: PictureStore) -> None:
        self.spec = spec
        self._pictures = pictures
        self._places = Places(spec)
        self._tracker = _tracker_for(spec)
        self._lives = TrackLives(
            first_number=spec.first_number,
            lost_after_us=self._tracker.lost_after_us,
            on_ground=spec.plane.on_ground if spec.plane else None,
        )
        self._evaluator = RuleEvaluator(spec.rules)
        self._minutes = MinuteBook()
        self._headcount = (
            Headcount(spec.counting, places=self._places, pictures=pictures) if spec.counting else None
        )
        self._crops: dict[UUID, Picture] = {}
        self._crop_names: dict[UUID, str] = {}
        self._matches: dict[tuple[UUID, int], _MatchLife] = {}
        self._attention = Attention(spec)

    @property
    def is_following(self) -> bool:
        """Whether something moves here, so that the stream has to stay awake."""
        return self._attention.follows(self._lives.live)

    def wants(self, picture: PictureToAnalyse) -> bool:
        """Tell whether this picture is due, at this analytic's rate and for its kind of detector."""
        return self._attention.wants(picture, self._lives.live)

    def take(self, picture: PictureToAnalyse, found: Detections) -> Outcome:
        """Take what the detector found in a picture that was wanted.

        Raises `RegionError` where a region does not fit into the stream's picture.
        """
        outcome = Outcome()
        at_us = picture.capture_us
        if at_us < self._attention.looked_us - CLOCK_STEP_US:
            outcome.news += self.finish()
            self._tracker = _tracker_for(self.spec)
        elif picture.is_quiet:
            self._evaluator.persist(at_us - 1)
        self._attention.looked_us = at_us
        self._places.measure(picture.size_wh)
        height, width = picture.picture.shape[:2]
        kept = self._choose(found, size_wh=(width, height))
        self._be_patient()
        boxes, changes = self._lives.observe(
            self._tracker.update(kept, at_us=at_us), at_us=at_us, size_wh=(width, height)
        )
        self._note_zones(boxes)
        self._keep_crops(boxes, picture.picture)
        minute = self._minutes.note(boxes, heat=found.heat, at_us=at_us)
        outcome.news += [dict(minute)] if minute else []
        outcome.news += [self._track_news(change) for change in changes]
        matches = self._evaluator.observe(at_us, [*_seen(boxes, at_us)])
        outcome.news += [self._match_news(match, boxes, picture) for match in matches]
        shown = [box for box in boxes if self._is_shown(box)]
        if self._headcount is not None:
            outcome.news += self._headcount.observe(picture, shown)
        outcome.live = live_message(self.spec, picture, shown, kept)
        return outcome

    def replace_rules(self, rules: Sequence[FrameRule]) -> list[News]:
        """Take other rules from now on and return the ends of what only the old ones matched."""
        return [self._match_news(match, [], None) for match in self._evaluator.replace_rules(rules)]

    def finish(self) -> list[News]:
        """End matches and tracks: no more pictures will come, or they come in another time."""
        news = [self._match_news(match, [], None) for match in self._evaluator.finish()]
        news += [self._track_news(change) for change in self._lives.finish()]
        news += self._headcount.finish() if self._headcount is not None else ()
        minute = self._minutes.close()
        return [*news, dict(minute)] if minute else news

    def _choose(self, found: Detections, *, size_wh: tuple[int, int]) -> Detections:
        """Return the boxes of wanted labels, in the analytic's regions, strong enough to carry a track on."""
        floor = self.spec.min_confidence * (1.0 if self.spec.model.has_memory else _WEAK_SHARE)
        mask = found.scores >= floor
        for index in np.flatnonzero(mask):
            mask[index] = self._is_wanted(found.labels[index], found.boxes_xyxy[index] / (*size_wh, *size_wh))
        return found.keep(mask)

    def _is_wanted(self, label: str, box_norm: "np.ndarray[Any, Any]") -> bool:
        if self.spec.labels and label not in self.spec.labels:
            return False
        x1, y1, x2, y2 = (float(value) for value in box_norm)
        place = standing_point(label, (x1, y1, x2, y2))
        if self.spec.model.has_memory and self._places.is_masked(place):
            return False
        return self._places.includes(place)

    def _be_patient(self) -> None:
        self._tracker.be_patient(self._attention.patience_s(self._lives.live))
        self._lives.lost_after_us = self._tracker.lost_after_us

    def _note_zones(self, boxes: list[NumberedBox]) -> None:
        for box in boxes:
            if box.track is not None:
                found = self._places.zones_at(standing_point(box.box.label, box.box_norm))
                box.track.zones += [name for name in found if name not in box.track.zones]

    def _keep_crops(self, boxes: list[NumberedBox], picture: Picture) -> None:
        for box in boxes:
            if box.track is not None and box.track.has_new_best:
                self._crops[box.track.track_id] = crop_of(picture, box.track.best_box)
                box.track.has_new_best = False

    def _track_news(self, change: TrackChange) -> News:
        track = change.track
        crop = self._crops.pop(track.track_id, None)
        if crop is not None:
            self._crop_names[track.track_id] = self._pictures.save_crop(track.track_id, track.start_us, crop)
        news: TrackNews = {
            "kind": change.phase,
            "track_id": str(track.track_id),
            "number": track.number,
            "label": track.label,
            "confidence": round(track.confidence, 4),
            "start_us": track.start_us,
            "end_us": track.last_us,
            "best_us": track.best_us,
            "best_box": list(track.best_box),
            "crop": self._crop_names.get(track.track_id, ""),
            "path": track.path,
            "hits": track.hits,
            "zones": list(track.zones),
            "size_min": track.size_min,
            "size_max": track.size_max,
            "top_speed_kmh": _kmh(track.course.top_speed_ms),
        }
        if change.phase is TrackPhase.CLOSE:
            self._crop_names.pop(track.track_id, None)
        return {**news, "path": [list(point) for point in track.path]}

    def _match_news(self, match: Match, boxes: list[NumberedBox], picture: PictureToAnalyse | None) -> News:
        key = (match.rule_id, match.track)
        if match.phase is MatchPhase.START:
            self._matches[key] = self._begin_match(match, boxes, picture)
        life = self._matches[key]
        if match.phase is MatchPhase.END:
            del self._matches[key]
        news: MatchNews = {
            "kind": HostNewsKind.MATCH,
            "phase": match.phase,
            "event_id": str(life.event_id),
            "rule_id": str(match.rule_id),
            "track_id": str(life.track_id) if life.track_id else "",
            "track_number": match.track,
            "label": match.label,
            "confidence": round(match.confidence, 4),
            "at_us": match.at_us,
            "until_us": match.until_us,
            "box": [] if match.track == NO_TRACK else list(match.box_norm),
            "snapshot": life.snapshot,
        }
        return {**news}

    def _begin_match(
        self, match: Match, boxes: list[NumberedBox], picture: PictureToAnalyse | None
    ) -> _MatchLife:
        event_id = uuid7(match.at_us // 1000)
        tracks = [box.track for box in boxes if box.track and box.track.number == match.track]
        snapshot = self._pictures.save_snapshot(event_id, match.at_us, picture.picture) if picture else ""
        return _MatchLife(event_id, tracks[0].track_id if tracks else None, snapshot)

    def _is_shown(self, box: NumberedBox) -> bool:
        return box.track is not None or box.box.confidence >= self.spec.min_confidence


def _tracker_for(spec: AnalyticSpec) -> Tracker:
    if spec.model.has_memory:
        return EpisodeTracker()
    return ByteTracker(rate_fps=spec.rate_fps, min_confidence=spec.min_confidence)


def _seen(boxes: list[NumberedBox], at_us: int) -> Iterator[SeenObject]:
    for box in boxes:
        if box.track is not None:
            yield SeenObject(
                box.track.number,
                box.box.label,
                box.box.confidence,
                box.box_norm,
                standing_point(box.box.label, box.box_norm),
                still_s=box.track.course.still_s(at_us),
                speed_kmh=_kmh(box.track.course.speed_ms),
            )


def _kmh(speed_ms: float | None) -> float | None:
    return None if speed_ms is None else round(speed_ms * 3.6, 2)
