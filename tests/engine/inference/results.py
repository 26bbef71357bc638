"""Live results written to a file, a line each, in place of the bus."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID


class FileResults:
    """Appends each message to `results.jsonl`."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def publish(self, stream_id: UUID, message: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(message) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def connect(url: str) -> FileResults:
    return FileResults(Path(urlsplit(url).path) / "results.jsonl")
