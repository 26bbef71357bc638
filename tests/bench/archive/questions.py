"""What is asked of the archive: addresses with values by chance, the same ones in each run."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

_LABELS = ("person", "person", "car", "cat", "bicycle", "bear")


@dataclass(frozen=True, slots=True)
class Question:
    """One address; `name` is what is asked, whatever the values."""

    name: str
    address: str


class Asker:
    """Makes up questions about an archive."""

    def __init__(self, facts: dict[str, Any], seed: int = 1) -> None:
        self._facts = facts
        self._random = random.Random(seed)
        self.first = datetime.fromisoformat(facts["first"])
        self.last = datetime.fromisoformat(facts["last"])

    def days(self, count: int, streams: int = 1) -> Iterator[Question]:
        """Ask for the time bar of some day."""
        for _ in range(count):
            chosen = self._random.sample(self._facts["streams"], streams)
            query = [("day", f"{self.moment():%Y-%m-%d}"), ("time_zone", "Europe/Berlin")]
            yield _question(
                f"timeline, a day of {streams}", "timeline", [*query, *(("stream", one) for one in chosen)]
            )

    def recordings(self, count: int) -> Iterator[Question]:
        yield from self._mixed(count, "recordings", self._recording_queries())

    def tracks(self, count: int) -> Iterator[Question]:
        yield from self._mixed(count, "tracks", self._track_queries())

    def statistics(self) -> Iterator[Question]:
        """Ask for figures of a day and of a week, of all cameras."""
        for days in (1, 7):
            day = f"{self.last - timedelta(days=days):%Y-%m-%d}"
            yield _question(
                f"statistics, {days} days of all", "statistics", [("day", day), ("days", str(days))]
            )

    def moment(self) -> datetime:
        """Return a whole minute of the archive, the newest more often."""
        back = self._random.random() ** 2 * (self.last - self.first)
        return (self.last - back).replace(second=0, microsecond=0)

    def _mixed(
        self, count: int, kind: str, queries: dict[str, Callable[[], dict[str, str]]]
    ) -> Iterator[Question]:
        for number in range(count):
            name, query = list(queries.items())[number % len(queries)]
            yield _question(f"{kind}, {name}", kind, list(query().items()))

    def _recording_queries(self) -> dict[str, Callable[[], dict[str, str]]]:
        return {
            "newest": dict,
            "of a camera": self._camera,
            "of a label": self._label,
            "of a sure label": lambda: self._label() | {"min_confidence": "0.95"},
            "of a day and camera": lambda: self._camera() | self._range("since", "until"),
            "of a day, label and confidence": lambda: {
                **self._label(), **self._range("since", "until"), "min_confidence": "0.8",
            },
            "with a word": lambda: {"search": f"parcel {self._random.randrange(20)}"},
            "with the name of a camera": lambda: {"search": f"camera {self._random.randrange(20)}"},
            "of a rule": lambda: {"rule": self._random.choice(self._facts["rules"])},
            "held": lambda: {"held": "true"},
            "surest": lambda: {"ordering": "-confidence"},
            "before a moment": lambda: {"until": _text(self.moment())},
        }  # fmt: skip

    def _track_queries(self) -> dict[str, Callable[[], dict[str, str]]]:
        return {
            "newest": dict,
            "of a camera": self._camera,
            "of a stream": lambda: {"stream": self._random.choice(self._facts["streams"])},
            "of a label": self._label,
            "of a label and camera": lambda: self._label() | self._camera(),
            "of a day, label and confidence": lambda: {
                **self._label(), **self._range("start", "end"), "min_confidence": "0.9",
            },
            "of a day and camera": lambda: self._camera() | self._range("start", "end"),
            "before a moment": lambda: {"end": _text(self.moment())},
        }  # fmt: skip

    def _camera(self) -> dict[str, str]:
        return {"camera": self._random.choice(self._facts["cameras"])}

    def _label(self) -> dict[str, str]:
        return {"label": self._random.choice(_LABELS)}

    def _range(self, start: str, end: str) -> dict[str, str]:
        moment = self.moment()
        return {start: _text(moment - timedelta(days=1)), end: _text(moment)}


def _question(name: str, kind: str, query: list[tuple[str, str]]) -> Question:
    return Question(name, f"/api/v1/{kind}/?{urlencode(query)}")


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
