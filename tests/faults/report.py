"""The report of `make faults`: a table for people, and the same rows for programs."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.faults.results import Row, Verdict


def write_report(folder: Path, rows: Sequence[Row], *, command: str, seed: int, took_s: float) -> None:
    """Write `faults.md` and `faults.json` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"command": command, "seed": seed, "took_s": round(took_s), "faults": rows}
    (folder / "faults.json").write_text(json.dumps(content, indent=2) + "\n")
    (folder / "faults.md").write_text(as_markdown(rows, command=command, seed=seed, took_s=took_s))


def as_markdown(rows: Sequence[Row], *, command: str, seed: int, took_s: float) -> str:
    """Return the report as a page."""
    lines = [
        "# Faults",
        "",
        f"Command: `{command}`. Seed: {seed}. {summary(rows)} It took {took_s / 60:.0f} minutes.",
        "",
        "Verdicts are about the tests that the command collects; the whole suite is `make faults` alone.",
        "",
        "| Fault | What | Verdict | Runs | Worst hole | Remarks |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [_line(row) for row in rows]
    return "\n".join(lines) + "\n"


def as_text(rows: Sequence[Row]) -> list[str]:
    """Return a line for each fault that a test met, for the terminal."""
    met = [row for row in rows if row["verdict"] != Verdict.NOT_COVERED.value]
    return [
        f"{row['fault']:<4} {row['verdict']:<14} runs {row['runs']:>3}, hole {_hole(row):>8}: {row['title']}"
        for row in met
    ]


def summary(rows: Sequence[Row]) -> str:
    """Return how many faults have which verdict, in one sentence."""
    counted = Counter(row["verdict"] for row in rows)
    parts = [f"{counted[verdict.value]} {verdict.value}" for verdict in Verdict]
    return f"Of {len(rows)} faults: {', '.join(parts)}."


def _line(row: Row) -> str:
    remarks = [f"failed: {test}" for test in row["failed"]]
    remarks += row["not_run"]
    remarks += row["notes"]
    text = "; ".join(remarks).replace("|", "\\|").replace("\n", " ")
    return f"| {row['fault']} | {row['title']} | {row['verdict']} | {row['runs']} | {_hole(row)} | {text} |"


def _hole(row: Row) -> str:
    hole_s = row["worst_hole_s"]
    return "" if hole_s is None else f"{hole_s:.2f} s"
