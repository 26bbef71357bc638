"""All analytics of a host, the streams they watch, and the detectors they share."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from omma_engine.clock import Clock
from omma_engine.detect.base import Detections, Detector
from omma_engine.detect.loading import load_detector
from omma_engine.detect.sessions import Provider
from omma_engine.detect.spec import ModelSpec
from omma_engine.errors import DetectorError, RegionError
from omma_engine.inference.activity import GREY_HEIGHT, GREY_WIDTH
from omma_engine.inference.feed import OpenReader, StreamFeed
from omma_engine.inference.frames import PictureToAnalyse
from omma_engine.inference.load import LoadControl
from omma_engine.inference.masks import painted
from omma_engine.inference.pictures import PictureStore
from omma_engine.inference.pulse import Pulse
from omma_engine.inference.runner import AnalyticRunner, Outcome
from omma_engine.inference.spec import AnalyticSpec
from omma_engine.ports import ResultPublisher
from omma_engine.rules import FrameRule

logger = logging.getLogger(__name__)

Say = Callable[[UUID, int, int, dict[str, Any]], None]
"""Tells one piece of news: analytic, epoch, sequence, payload."""

_RELOAD_US = 30_000_000  # a model that could not be loaded is tried again after this


@dataclass(slots=True)
class _Station:
    """One analytic with its detector, and what it has told."""

    runner: AnalyticRunner
    epoch: int
    pulse: Pulse
    detector: Detector | None = None
    tried_us: int = 0
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    """A picture that one analytic wants to have analysed."""

    station: _Station
    picture: PictureToAnalyse


@dataclass(slots=True)
class Workbench:
    """Adds and removes analytics and analyses what their streams bring. One thread, beside the feeds' own."""

    open_reader: OpenReader
    results: ResultPublisher
    pictures: PictureStore
    clock: Clock
    say: Say
    on_picture: Callable[[], None]
    on_analysed: Callable[[], None] = lambda: None
    provider: str = Provider.CPU
    make_feed: Callable[..., StreamFeed] = StreamFeed
    load: LoadControl = field(init=False)
    _stations: dict[UUID, _Station] = field(default_factory=dict)
    _feeds: dict[UUID, StreamFeed] = field(default_factory=dict)
    _shared: dict[str, Detector] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.load = LoadControl(self.clock)

    @property
    def analytics(self) -> int:
        return len(self._stations)

    @property
    def feeds(self) -> Sequence[StreamFeed]:
        return list(self._feeds.values())

    def add(self, spec: AnalyticSpec, *, epoch: int) -> None:
        """Begin with an analytic, in place of one with this id. A model that cannot run is told as status."""
        self.remove(spec.analytic_id)
        runner = AnalyticRunner(spec, pictures=self.pictures)
        station = _Station(runner, epoch, Pulse(self.clock.monotonic_us()))
        self._stations[spec.analytic_id] = station
        self._equip(station)
        self._match_feeds()

    def replace_rules(self, analytic_id: UUID, rules: Sequence[FrameRule]) -> None:
        """Give an analytic other rules; its tracks go on, and matches of rules that changed end."""
        station = self._stations.get(analytic_id)
        if station is not None:
            self._tell(station, station.runner.replace_rules(rules))

    def remove(self, analytic_id: UUID) -> None:
        """Close the analytic's tracks and matches and forget it."""
        station = self._stations.pop(analytic_id, None)
        if station is not None:
            self._tell(station, station.runner.finish())
            self._match_feeds()

    def stop(self) -> None:
        """Remove everything; the streams' threads are waited for together."""
        for feed in self._feeds.values():
            feed.request_stop()
        for analytic_id in list(self._stations):
            self._tell(self._stations[analytic_id], self._stations.pop(analytic_id).runner.finish())
        for feed in self._feeds.values():
            feed.stop()
        self._feeds.clear()

    def analyse_waiting(self) -> int:
        """Analyse one picture of each stream that has one; return how many there were."""
        self.load.begin()
        try:
            return self._analyse_waiting()
        finally:
            self.load.end()

    def _analyse_waiting(self) -> int:
        taken = [picture for feed in self._feeds.values() if (picture := feed.queue.take()) is not None]
        jobs: dict[int, list[_Job]] = {}
        for picture in taken:
            for station in self._stations.values():
                if station.runner.spec.stream_id != picture.stream_id or station.detector is None:
                    continue
                if station.runner.wants(picture):
                    jobs.setdefault(id(station.detector), []).append(_Job(station, picture))
        for group in jobs.values():
            self._analyse(group)
        return len(taken)

    def look_around(self) -> None:
        """Tell states that changed, and try again to load what could not be."""
        if self.load.look(dropped=sum(feed.queue.dropped for feed in self._feeds.values())):
            self._match_feeds()
        now_us, wall_us = self.clock.monotonic_us(), self.clock.now_us()
        for station in self._stations.values():
            if station.detector is None and now_us - station.tried_us > _RELOAD_US:
                self._equip(station)
            feed = self._feeds.get(station.runner.spec.stream_id)
            dropped = feed.queue.dropped if feed else 0
            status = station.pulse.look(
                now_us=now_us, wall_us=wall_us, dropped=dropped, is_overloaded=self.load.is_overloaded
            )
            if status is not None:
                version = station.runner.spec.model.version_id
                self._tell(station, [{**status, "version": version}])

    def _analyse(self, jobs: list[_Job]) -> None:
        """Run one detector over its jobs, as many pictures at once as it takes."""
        detector = jobs[0].station.detector
        if detector is None:
            return
        for start in range(0, len(jobs), detector.max_batch):
            batch = jobs[start : start + detector.max_batch]
            for job, found in self._detect(detector, batch):
                self._take(job, found)
            self.on_analysed()

    def _detect(self, detector: Detector, batch: list[_Job]) -> Iterator[tuple[_Job, Detections]]:
        unique = {id(job.picture): job.picture for job in batch}  # analytics of one stream share the work
        at_us = [picture.capture_us for picture in unique.values()]
        try:
            results = detector.detect([picture.picture for picture in unique.values()], at_us=at_us)
        except DetectorError as exc:
            logger.warning("a model failed: %s", exc)
            for job in batch:
                job.station.pulse.failed(str(exc))
            return
        found = dict(zip(unique, results, strict=True))
        for job in batch:
            yield job, found[id(job.picture)]

    def _take(self, job: _Job, found: Detections) -> None:
        try:
            outcome = job.station.runner.take(job.picture, found)
        except RegionError as exc:
            job.station.pulse.failed(str(exc))
        else:
            self._deliver(job, outcome)

    def _deliver(self, job: _Job, outcome: Outcome) -> None:
        station = job.station
        station.pulse.analysed(self.clock.monotonic_us())
        if station.runner.is_following:
            self._feeds[job.picture.stream_id].activity.note_track(job.picture.capture_us)
        self.results.publish(job.picture.stream_id, outcome.live)
        self._tell(station, outcome.news)

    def _tell(self, station: _Station, news: Sequence[dict[str, Any]]) -> None:
        for payload in news:
            station.sequence += 1
            self.say(station.runner.spec.analytic_id, station.epoch, station.sequence, payload)

    def _equip(self, station: _Station) -> None:
        station.tried_us = self.clock.monotonic_us()
        try:
            station.detector = self._detector_for(station.runner.spec.model)
        except DetectorError as exc:
            logger.warning("analytic %s: %s", station.runner.spec.analytic_id, exc)
            station.pulse.failed(str(exc))

    def _detector_for(self, model: ModelSpec) -> Detector:
        if model.has_memory:
            return load_detector(model, provider=self.provider)
        if model.version_id not in self._shared:
            self._shared[model.version_id] = load_detector(model, provider=self.provider)
        return self._shared[model.version_id]

    def _match_feeds(self) -> None:
        """Open a feed for each stream that is watched, at the highest rate wanted, and close the others."""
        rates: dict[UUID, float] = {}
        for station in self._stations.values():
            spec = station.runner.spec
            rates[spec.stream_id] = max(spec.rate_fps, rates.get(spec.stream_id, 0.0))
        for stream_id in set(self._feeds) - set(rates):
            self._feeds.pop(stream_id).stop()
        for stream_id, rate_fps in rates.items():
            if stream_id not in self._feeds:
                feed = self.make_feed(stream_id, open_reader=self.open_reader, on_picture=self.on_picture)
                self._feeds[stream_id] = feed
                feed.start()
            self._feeds[stream_id].rate_fps = rate_fps * self.load.share
            self._feeds[stream_id].activity.watch_only(self._watched(stream_id))

    def _watched(self, stream_id: UUID) -> "npt.NDArray[np.bool_] | None":
        """Return where motion wakes somebody: wherever one of the stream's analytics does not mask it."""
        masks = [
            painted(station.runner.spec.mask, size_wh=(GREY_WIDTH, GREY_HEIGHT))
            for station in self._stations.values()
            if station.runner.spec.stream_id == stream_id
        ]
        masked = np.logical_and.reduce(masks)
        return np.logical_not(masked) if masked.any() else None
