"""The figures of a bench run: a table for people, `build/bench.json` for machines."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from os import cpu_count, getloadavg
from pathlib import Path
from typing import Any, Literal

Outcome = Literal["met", "missed", "printed", "skipped"]
DEFAULT_PATH = Path("build/bench.json")


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure. `goal` is the most it may be; None where it is only printed.

    A figure without a value was not measured, and `note` says why: "skipped" is not "met".
    """

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


Results = Mapping[str, Sequence[Row]]
"""The rows of each bench, by the bench's name."""


def table_of(results: Results) -> str:
    """Return the rows of all benches as a table of plain text."""
    heads = ("bench", "figure", "value", "goal", "outcome", "note")
    rows = [heads, *(_cells_of(bench, row) for bench, measured in results.items() for row in measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    ruled = [lines[0], "  ".join("-" * width for width in widths), *lines[1:]]
    return "\n".join(line.rstrip() for line in ruled)


def write_json(results: Results, path: Path = DEFAULT_PATH, *, command: str) -> None:
    """Write the rows with what they were measured on; benches in the file that did not run now are kept."""
    measured = {
        bench: {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
            "figures": [asdict(row) | {"outcome": row.outcome} for row in rows],
        }
        for bench, rows in results.items()
    }
    machine = {"cores": cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine, "benches": _benches_in(path) | measured}
    path.write_text(json.dumps(report, indent=2) + "\n")


def load_now() -> str:
    """Return how busy the machine is, to be said beside a figure."""
    return f"load {getloadavg()[0]:.1f} on {cpu_count()} cores"


def all_goals_met(results: Results) -> bool:
    return all(row.outcome != "missed" for rows in results.values() for row in rows)


def _benches_in(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text())["benches"]) if path.exists() else {}


def _cells_of(bench: str, row: Row) -> tuple[str, str, str, str, str, str]:
    value = "" if row.value is None else f"{row.value:.4g} {row.unit}".strip()
    goal = "" if row.goal is None else f"<= {row.goal:.4g}"
    return bench, row.name, value, goal, row.outcome, row.note
