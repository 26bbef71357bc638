"""Run one bench in this process: `python -m tests.bench.one MODULE ANSWER.json [minutes=N] [runs=N]`."""

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path


def main(module: str, answer: str, *options: str) -> None:
    bench = import_module(module)
    numbers = {name: float(number) for name, _, number in (option.partition("=") for option in options)}
    rows = bench.measure(**numbers)
    Path(answer).write_text(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
