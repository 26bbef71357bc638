"""Run benches: `python -m tests.bench` for all of them, `python -m tests.bench glass` for one.

A bench is a module with `measure() -> list[Row]`, named below.
"""

import argparse
import sys
from collections.abc import Mapping
from importlib import import_module

from tests.bench.report import DEFAULT_PATH, Row, all_goals_met, table_of, write_json

BENCHES: Mapping[str, str] = {
    "glass": "tests.bench.glass",
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Omma.")
    parser.add_argument("names", nargs="*", metavar="BENCH", help=f"of {', '.join(BENCHES)}; all by default")
    names = parser.parse_args().names or list(BENCHES)
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        parser.error(f"expected benches of {', '.join(BENCHES)}, got {', '.join(unknown)}")
    results = {name: _measured(name) for name in names}
    print(table_of(results))
    write_json(results, command=" ".join(["python -m tests.bench", *names]))
    print(f"written to {DEFAULT_PATH}")
    return 0 if all_goals_met(results) else 1


def _measured(name: str) -> list[Row]:
    print(f"measuring {name} ...", flush=True)
    rows: list[Row] = import_module(BENCHES[name]).measure()
    return rows


if __name__ == "__main__":
    sys.exit(main())
