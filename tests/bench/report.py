"""The figures of a bench run: a table for people, `build/bench.json` for machines."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path
from typing import Literal

Outcome = Literal["met", "missed", "printed", "skipped"]
DEFAULT_PATH = Path("build/bench.json")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `goal` is the most it may be; None where it is only printed.

    A figure without a value was not measured, and `note` says why: "skipped" is not "met".
    """

    bench: str
    name: str
    value: float | None
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def outcome(self) -> Outcome:
        if self.value is None:
            return "skipped"
        if self.goal is None:
            return "printed"
        return "met" if self.value <= self.goal else "missed"


def table_of(figures: Sequence[Figure]) -> str:
    """Return the figures as a table of plain text."""
    heads = ("bench", "figure", "value", "goal", "outcome", "note")
    rows = [heads, *(_row_of(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    ruled = [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]
    return "\n".join(line.rstrip() for line in ruled)


def write_json(figures: Sequence[Figure], path: Path = DEFAULT_PATH, *, command: str = "make bench") -> None:
    """Write the figures with what they were measured on; figures of other benches in the file are kept."""
    benches = {figure.bench for figure in figures}
    kept = [figure for figure in _figures_in(path) if figure["bench"] not in benches]
    measured = [asdict(figure) | {"outcome": figure.outcome} for figure in figures]
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "machine": {"cores": cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "figures": kept + measured,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")


def all_goals_met(figures: Sequence[Figure]) -> bool:
    return all(figure.outcome != "missed" for figure in figures)


def _figures_in(path: Path) -> list[Mapping[str, object]]:
    if not path.exists():
        return []
    figures: list[Mapping[str, object]] = json.loads(path.read_text())["figures"]
    return figures


def _row_of(figure: Figure) -> tuple[str, str, str, str, str, str]:
    value = "" if figure.value is None else f"{figure.value:.4g} {figure.unit}".strip()
    goal = "" if figure.goal is None else f"<= {figure.goal:.4g}"
    return figure.bench, figure.name, value, goal, figure.outcome, figure.note
