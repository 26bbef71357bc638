"""One analysis: legs of footage, one after another, each a function of its footage and its beginning alone.

A leg ends at the first quiet moment after ten minutes of footage, after half an hour in any case, and at a
hole. The next one begins with fresh detectors, gate and trackers, which are run in on the ten seconds before;
what begins in the run-in was the leg's before. So an analysis that goes on from a checkpoint, after its
process died, finds what it would have found without that.
"""

import logging
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from omma_engine.clock import SystemClock
from omma_engine.detect.sessions import Provider
from omma_engine.errors import DetectorError
from omma_engine.inference.messages import HostNewsKind
from omma_engine.inference.offline.feed import FootageFeed
from omma_engine.inference.offline.folders import work_folder
from omma_engine.inference.offline.keeping import AnalysisPictures, FoundBook, Names
from omma_engine.inference.offline.reader import FootageReader
from omma_engine.inference.offline.spec import AnalysisSpec, Checkpoint, FootageFile
from omma_engine.inference.workbench import Workbench
from omma_engine.ports import DemandLevel
from omma_engine.rules import MatchPhase

logger = logging.getLogger(__name__)

News = dict[str, Any]

_LEG_US = 600_000_000
_LONGEST_LEG_US = 1_800_000_000
_RUN_IN_US = 10_000_000
_EARLY_US = 2_000_000  # what began so shortly before a leg was nobody's: nothing was followed for longer
_HOLE_US = 10_000_000
_MINUTE_US = 60_000_000
_LOOK_EVERY = 50  # batches


@dataclass(slots=True)
class _Going:
    """What is followed in this leg at the moment, and what was found in it."""

    tracks: int = 0
    matches: int = 0
    next_numbers: dict[str, int] = field(default_factory=dict)


class Analysis:
    """Runs one `AnalysisSpec`: `advance` does a little; what is found is told through `say`. One thread."""

    def __init__(
        self,
        spec: AnalysisSpec,
        footage: list[FootageFile],
        *,
        data_dir: Path,
        say: Callable[[News], None],
        provider: str = Provider.CPU,
    ) -> None:
        self._spec = spec
        self._footage = footage
        self._say = say
        self._pictures = AnalysisPictures(data_dir, spec.task_id, is_kept=spec.keeps_pictures)
        self._book = FoundBook(work_folder(data_dir, spec.task_id), keeps_boxes=spec.keeps_boxes)
        self._bench = Workbench(
            open_reader=self._open_reader,
            results=self._book,
            pictures=self._pictures,
            clock=SystemClock(),
            say=self._hear,
            on_picture=lambda: None,
            provider=provider,
            make_feed=FootageFeed,
        )
        self._checkpoint = spec.checkpoint
        self._begins_us = spec.checkpoint.at_us or spec.start_us
        self._going = _Going()
        self._holes = _holes(footage)
        self._batches = 0
        self.unreadable = 0
        self.pictures = 0
        self.decode_errors = 0
        self.total_us = sum(_share_us(file, spec.start_us, spec.end_us) for file in footage)
        self._begin_leg(self._begins_us, dict(spec.checkpoint.numbers))

    @property
    def reached_us(self) -> int:
        """Return up to where pictures were read."""
        return max(self._begins_us, self._feed.last_capture_us)

    @property
    def done_us(self) -> int:
        """Return how much footage lies behind, in microseconds; holes are none."""
        return sum(_share_us(file, self._spec.start_us, self.reached_us) for file in self._footage)

    def advance(self) -> bool:
        """Analyse the next batch; tell whether there is more. Raises `DetectorError` where a model fails."""
        has_more = self._feed.take_batch()
        while taken := self._bench.analyse_waiting():
            self.pictures += taken
        self._feed.choose()
        self._batches += 1
        if self._batches % _LOOK_EVERY == 0:
            self._bench.look_around()
            self._book.flush()
        if not has_more:
            self._end_leg()
            return False
        if self._is_leg_over():
            at_us = self._feed.last_capture_us
            self._end_leg()
            numbers = self._going.next_numbers
            self._checkpoint = Checkpoint(self._checkpoint.leg + 1, at_us, dict(numbers))
            self._book.close()
            self._say({"kind": "checkpoint", "leg": self._checkpoint.leg, "at_us": at_us, "numbers": numbers})
            self._begin_leg(at_us, dict(numbers))
        return True

    def close(self) -> None:
        """Let go of files; nothing is told any more."""
        self._say = lambda news: None
        self._bench.stop()
        self._book.close()

    @property
    def _feed(self) -> FootageFeed:
        (feed,) = self._bench.feeds
        assert isinstance(feed, FootageFeed)  # noqa: S101 (made by `make_feed`)
        return feed

    def _begin_leg(self, begins_us: int, numbers: dict[str, int]) -> None:
        self._begins_us = begins_us
        self._going = _Going(next_numbers=numbers)
        self._pictures.names = Names(self._spec.task_id, self._checkpoint.leg)
        self._book.begin_leg(self._checkpoint.leg, begins_us)
        for each in self._spec.analytics:
            first = numbers.get(str(each.analytic_id), each.first_number)
            self._bench.add(replace(each, first_number=first), epoch=0)
        self._bench.look_around()  # a model that cannot be loaded says so here

    def _end_leg(self) -> None:
        self.unreadable += self._feed.reader.unreadable
        self.decode_errors += self._feed.decode_errors
        for each in self._spec.analytics:
            self._bench.remove(each.analytic_id)

    def _is_leg_over(self) -> bool:
        at_us = self._feed.last_capture_us
        length_us = at_us - self._begins_us
        next_hole = bisect_right(self._holes, self._begins_us)
        if next_hole < len(self._holes) and self._holes[next_hole] <= at_us:
            return True
        is_quiet = not self._going.tracks and not self._going.matches and self._feed.is_quiet
        return length_us >= _LONGEST_LEG_US or (length_us >= _LEG_US and is_quiet)

    def _open_reader(self, stream_id: UUID, level: DemandLevel) -> FootageReader:
        is_first = self._checkpoint.at_us == 0
        start_us = self._begins_us if is_first else max(self._spec.start_us, self._begins_us - _RUN_IN_US)
        return FootageReader(self._footage, start_us=start_us, end_us=self._spec.end_us)

    # --- what the workbench tells ---------------------------------------------------------------------------

    def _hear(self, analytic_id: UUID, epoch: int, sequence: int, payload: News) -> None:
        news = {**payload, "analytic_id": str(analytic_id)}
        phase = payload.get("phase")
        match payload["kind"]:
            case HostNewsKind.TRACK_OPEN:
                self._going.tracks += 1
                self._number(news)
            case HostNewsKind.TRACK_CLOSE:
                self._going.tracks -= 1
                self._tell(news, begins_us=news["start_us"], ends_us=news["end_us"])
            case HostNewsKind.MATCH if phase == MatchPhase.START:
                self._going.matches += 1
                self._lasting(news)
            case HostNewsKind.MATCH if phase == MatchPhase.END:
                self._going.matches -= 1
                self._tell(news, begins_us=news["at_us"], ends_us=news["until_us"])
            case HostNewsKind.RESULT:
                self._tell(news, begins_us=news["at_us"], ends_us=news["at_us"])
            case HostNewsKind.MINUTE:
                if news["minute_us"] + _MINUTE_US > self._begins_us:
                    self._say(news)
            case HostNewsKind.STATUS if payload["status"] == "failed":
                raise DetectorError(payload["detail"])

    def _number(self, news: News) -> None:
        key = news["analytic_id"]
        self._going.next_numbers[key] = max(self._going.next_numbers.get(key, 0), news["number"] + 1)
        self._lasting(news)

    def _tell(self, news: News, *, begins_us: int, ends_us: int) -> None:
        """Tell what is this leg's own; what began before it was told by the leg before."""
        is_first = self._checkpoint.at_us == 0
        if (begins_us < self._begins_us - _EARLY_US and not is_first) or ends_us < self._spec.start_us:
            return
        lasting = self._lasting(news)
        self._book.note({name: value for name, value in lasting.items() if name != "path"})
        self._say(lasting)

    def _lasting(self, news: News) -> News:
        """Return the news with ids that a repeated run gives again."""
        names = self._pictures.names
        ids = {name: str(names.of(UUID(news[name]))) for name in ("track_id", "event_id") if news.get(name)}
        return {**news, **ids}


def _holes(footage: list[FootageFile]) -> list[int]:
    """Return where footage begins again after a hole."""
    return [
        after.start_us for before, after in pairwise(footage) if after.start_us - before.end_us > _HOLE_US
    ]


def _share_us(file: FootageFile, start_us: int, end_us: int) -> int:
    return max(0, min(file.end_us, end_us) - max(file.start_us, start_us))
