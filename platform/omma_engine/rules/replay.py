"""A rule's conditions over tracks that are stored, judged by the evaluator that judges live pictures.

Of a stored track its path is known, and its best confidence; what a rule asks of each picture is judged by
these. Between the points of a path it is taken to have gone straight.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby, pairwise

from omma_engine.rules.evaluator import Match, MatchPhase, RuleEvaluator
from omma_engine.rules.frame_rule import FrameRule
from omma_engine.rules.seen import SeenObject

_STEP_US = 250_000  # as often as a path has points


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """A track as it is stored: `path` is `[ms after start, x, y]` in parts of the picture."""

    number: int
    label: str
    confidence: float
    start_us: int
    end_us: int
    box_norm: tuple[float, float, float, float]
    path: Sequence[Sequence[float]]


def replay(rule: FrameRule, tracks: Iterable[StoredTrack]) -> list[Match]:
    """Return what the rule would have matched, each match once, with its end. Pure."""
    evaluator = RuleEvaluator([rule])
    matches: list[Match] = []
    moments = merge(*(list(_moments(track)) for track in tracks), key=lambda moment: moment[0])
    for at_us, group in groupby(moments, key=lambda moment: moment[0] // _STEP_US * _STEP_US):
        matches += evaluator.observe(at_us, [seen for _, seen in group])
    matches += evaluator.finish()
    ended = [match for match in matches if match.phase is MatchPhase.END]
    return sorted(ended, key=lambda match: (match.at_us, match.track))


def _moments(track: StoredTrack) -> Iterator[tuple[int, SeenObject]]:
    """Yield where a track was, a moment at a time."""
    points = [(track.start_us + round(ms * 1000), x, y) for ms, x, y in track.path]
    if points and points[-1][0] < track.end_us:
        points.append((track.end_us, *points[-1][1:]))
    for (from_us, x1, y1), (to_us, x2, y2) in pairwise(points):
        steps = max(1, (to_us - from_us) // _STEP_US)
        for step in range(steps):
            share = step / steps
            at_us = from_us + round((to_us - from_us) * share)
            yield at_us, _seen(track, x1 + (x2 - x1) * share, y1 + (y2 - y1) * share)
    if points:
        yield points[-1][0], _seen(track, *points[-1][1:])


def _seen(track: StoredTrack, x: float, y: float) -> SeenObject:
    return SeenObject(track.number, track.label, track.confidence, track.box_norm, (x, y))
