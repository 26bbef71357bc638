"""Run benches: `python -m tests.bench` for all of them, `python -m tests.bench glass` for one.

A bench is a module with `measure() -> list[Row]`, named below. Each runs in a process of its own, which is
ended, with everything that it started, when its time is up.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bench.report import DEFAULT_PATH, Row, all_goals_met, table_of, write_json


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a bench is and how long it may take. `is_default`: it runs when no names are given.

    One that has `minutes` goes on for so long, or for as long as it is told, on top of its limit. One that
    has `runs` is repeated so often, and its limit is that of one run.
    """

    module: str
    limit_s: float
    is_default: bool = True
    minutes: float = 0.0
    runs: int = 0


BENCHES: Mapping[str, Bench] = {
    "recording": Bench("tests.bench.recording", limit_s=420),
    "recording_long": Bench("tests.bench.recording_long", limit_s=300, is_default=False, minutes=10),
    "capacity": Bench("tests.bench.capacity", limit_s=600, is_default=False),
    "recovery": Bench("tests.bench.recovery", limit_s=240),
    "kills": Bench("tests.bench.kills", limit_s=60, is_default=False, runs=100),
    "power-cuts": Bench("tests.bench.power_cuts", limit_s=60, is_default=False, runs=20),
    "idle": Bench("tests.bench.idle", limit_s=180),
    "idle_scene": Bench("tests.bench.idle_scene", limit_s=240),
    "detection": Bench("tests.bench.detection", limit_s=90),
    "offline": Bench("tests.bench.offline", limit_s=420),
    "glass": Bench("tests.bench.glass", limit_s=180),
    "search": Bench("tests.bench.search", limit_s=5400, is_default=False),
    "clock": Bench("tests.bench.clock", limit_s=150),
    "soak": Bench("tests.bench.soak", limit_s=180, is_default=False, minutes=15),
    "retention": Bench("tests.bench.retention", limit_s=900, is_default=False),
    "from_nothing": Bench("tests.bench.from_nothing", limit_s=900, is_default=False),
}
_END_S = 20.0


def main() -> int:
    names, minutes, runs = _asked()
    results = {name: _measured(name, BENCHES[name], minutes, runs) for name in names}
    print(table_of(results))
    write_json(results, command=" ".join(["python -m tests.bench", *sys.argv[1:]]))
    print(f"written to {DEFAULT_PATH}")
    return 0 if all_goals_met(results) else 1


def _asked() -> tuple[list[str], float | None, int | None]:
    """Return the benches to run, for how long those go on that go on, and how often others are repeated."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Omma.")
    usual = [name for name, bench in BENCHES.items() if bench.is_default]
    rest = [name for name, bench in BENCHES.items() if not bench.is_default]
    words = f"of {', '.join(usual)} (all of these by default), {', '.join(rest)}"
    parser.add_argument("names", nargs="*", metavar="BENCH", help=words)
    parser.add_argument("--minutes", type=float, help="how long benches go on that go on, such as soak")
    parser.add_argument("--runs", type=int, help="how often benches are repeated that are, such as kills")
    options = parser.parse_args()
    names = options.names or usual
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        parser.error(f"expected benches of {', '.join(BENCHES)}, got {', '.join(unknown)}")
    return list(names), options.minutes, options.runs


def _measured(name: str, bench: Bench, minutes: float | None, runs: int | None) -> list[Row]:
    """Run a bench in a process of its own and return its rows; one that fails is a row without a value."""
    print(f"measuring {name} ...", flush=True)
    minutes = (bench.minutes if minutes is None else minutes) if bench.minutes else 0
    runs = (runs or bench.runs) if bench.runs else 0
    told = [f"{word}={number:g}" for word, number in (("minutes", minutes), ("runs", runs)) if number]
    limit_s = bench.limit_s * max(1, runs) + 60 * (minutes + bool(runs))
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "tests.bench.one", bench.module, str(answer), *told]
        process = subprocess.Popen(command)
        try:
            status = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            _end(process)
            return [Row(name, None, "", note=f"not measured: not done within {limit_s:g} s")]
        except KeyboardInterrupt:
            _end(process)
            raise
        if status != 0:
            return [Row(name, None, "", note="not measured: it failed, see above")]
        return [Row(**fields) for fields in json.loads(answer.read_text())]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a bench clean up after itself, and kill it when it does not; its children die with it."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
