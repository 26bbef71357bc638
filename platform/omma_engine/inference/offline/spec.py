"""What an analysing process is told: which footage, which analytics, and where to go on."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from omma_engine.errors import ProtocolError
from omma_engine.inference.spec import AnalyticSpec, decode_analytic, encode_analytic


@dataclass(frozen=True, slots=True)
class FootageFile:
    """One segment file: bytes at or above `durable_bytes` are never read, pictures at `limit_us` neither."""

    root: str
    path: str
    start_us: int
    end_us: int
    init_size: int
    durable_bytes: int
    limit_us: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Up to where an analysis is done: `leg` legs, everything before `at_us` (0: nothing).

    `numbers` are those that each analytic's next track gets.
    """

    leg: int = 0
    at_us: int = 0
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AnalysisSpec:
    """Analytics over `[start_us, end_us)` of one stream. `footage` names a file of `FootageFile` lines.

    `keeps_pictures` and `keeps_boxes` say what is left on disk: a back-test leaves nothing.
    """

    task_id: UUID
    stream_id: UUID
    start_us: int
    end_us: int
    footage: str
    analytics: tuple[AnalyticSpec, ...]
    checkpoint: Checkpoint = Checkpoint()
    keeps_pictures: bool = True
    keeps_boxes: bool = True


def encode_analysis(spec: AnalysisSpec) -> dict[str, Any]:
    """Return the spec as JSON values."""
    return {
        "task_id": str(spec.task_id),
        "stream_id": str(spec.stream_id),
        "start_us": spec.start_us,
        "end_us": spec.end_us,
        "footage": spec.footage,
        "analytics": [encode_analytic(each) for each in spec.analytics],
        "checkpoint": {**asdict(spec.checkpoint), "numbers": dict(spec.checkpoint.numbers)},
        "keeps_pictures": spec.keeps_pictures,
        "keeps_boxes": spec.keeps_boxes,
    }


def decode_analysis(raw: Mapping[str, Any]) -> AnalysisSpec:
    """Return the spec that `encode_analysis` wrote. Raises `ProtocolError` for anything else."""
    try:
        return AnalysisSpec(
            task_id=UUID(raw["task_id"]),
            stream_id=UUID(raw["stream_id"]),
            start_us=int(raw["start_us"]),
            end_us=int(raw["end_us"]),
            footage=str(raw["footage"]),
            analytics=tuple(decode_analytic(each) for each in raw["analytics"]),
            checkpoint=Checkpoint(**raw["checkpoint"]),
            keeps_pictures=bool(raw["keeps_pictures"]),
            keeps_boxes=bool(raw["keeps_boxes"]),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise ProtocolError(f"an analysis that cannot be read: {exc!r}") from exc


def write_footage(path: Path, files: Iterable[FootageFile]) -> int:
    """Write the list of footage, a line a file, and return how many there are."""
    count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("w") as lines:
        for each in files:
            lines.write(json.dumps(asdict(each)) + "\n")
            count += 1
    unfinished.replace(path)
    return count


def read_footage(path: Path) -> Iterator[FootageFile]:
    """Yield what `write_footage` wrote."""
    with path.open() as lines:
        for line in lines:
            yield FootageFile(**json.loads(line))
