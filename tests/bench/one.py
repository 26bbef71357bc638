"""Run one bench in this process: `python -m tests.bench.one MODULE ANSWER.json [MINUTES]`."""

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path


def main(module: str, answer: str, minutes: str = "") -> None:
    bench = import_module(module)
    rows = bench.measure(minutes=float(minutes)) if minutes else bench.measure()
    Path(answer).write_text(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
