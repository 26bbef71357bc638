"""Run one bench in this process: `python -m tests.bench.one MODULE ANSWER.json`."""

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path


def main(module: str, answer: str) -> None:
    rows = import_module(module).measure()
    Path(answer).write_text(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
