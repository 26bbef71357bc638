"""Figures are shown and written with their goals, and what was skipped is not met."""

import json
from pathlib import Path

from tests.bench.report import Row, all_goals_met, table_of, write_json

RECORDING = [Row("CPU against ffmpeg", 1.234567, "x", goal=1.5), Row("frames lost", 3, "", goal=0)]
IDLE = [Row("memory", 512.0, "MB")]
RESTART = [Row("hole", None, "s", goal=3, note="ffmpeg is not installed")]


def test_the_table_shows_each_figure_with_its_outcome() -> None:
    assert table_of({"recording": RECORDING, "idle": IDLE, "restart": RESTART}).splitlines() == [
        "bench      figure              value    goal    outcome  note",
        "---------  ------------------  -------  ------  -------  -----------------------",
        "recording  CPU against ffmpeg  1.235 x  <= 1.5  met",
        "recording  frames lost         3        <= 0    missed",
        "idle       memory              512 MB           printed",
        "restart    hole                         <= 3    skipped  ffmpeg is not installed",
    ]


def test_goals_are_met_when_none_is_missed() -> None:
    assert not all_goals_met({"recording": RECORDING, "idle": IDLE})
    assert all_goals_met({"recording": RECORDING[:1], "idle": IDLE, "restart": RESTART})


def test_a_bench_that_runs_again_replaces_its_own_figures_only(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench.json"
    write_json({"recording": RECORDING, "idle": IDLE}, path, command="make bench")

    write_json({"idle": [Row("memory", 400.0, "MB")]}, path, command="make bench ARGS=idle")

    report = json.loads(path.read_text())
    assert report["machine"]["cores"] >= 1
    assert [(each["value"], each["outcome"]) for each in report["benches"]["recording"]["figures"]] == [
        (1.234567, "met"),
        (3, "missed"),
    ]
    assert report["benches"]["idle"]["figures"][0]["value"] == 400.0
    assert report["benches"]["idle"]["command"] == "make bench ARGS=idle"
