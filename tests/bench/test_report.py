"""Figures are shown and written with their goals, and what was skipped is not met."""

import json
from pathlib import Path

from tests.bench.report import Figure, all_goals_met, table_of, write_json

FIGURES = [
    Figure("recording", "CPU against ffmpeg", 1.234567, "x", goal=1.5),
    Figure("recording", "frames lost", 3, "", goal=0),
    Figure("idle", "memory", 512.0, "MB"),
    Figure("restart", "hole", None, "s", goal=3, note="ffmpeg is not installed"),
]


def test_the_table_shows_each_figure_with_its_outcome() -> None:
    assert table_of(FIGURES).splitlines() == [
        "bench      figure              value    goal    outcome  note",
        "---------  ------------------  -------  ------  -------  -----------------------",
        "recording  CPU against ffmpeg  1.235 x  <= 1.5  met",
        "recording  frames lost         3        <= 0    missed",
        "idle       memory              512 MB           printed",
        "restart    hole                         <= 3    skipped  ffmpeg is not installed",
    ]


def test_goals_are_met_when_none_is_missed() -> None:
    assert not all_goals_met(FIGURES)
    assert all_goals_met([FIGURES[0], FIGURES[2], FIGURES[3]])


def test_a_bench_that_runs_again_replaces_its_own_figures_only(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    write_json(FIGURES, path)

    write_json([Figure("idle", "memory", 400.0, "MB")], path)

    report = json.loads(path.read_text())
    assert [(each["bench"], each["value"], each["outcome"]) for each in report["figures"]] == [
        ("recording", 1.234567, "met"),
        ("recording", 3, "missed"),
        ("restart", None, "skipped"),
        ("idle", 400.0, "printed"),
    ]
    assert report["machine"]["cores"] >= 1
