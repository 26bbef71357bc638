"""How the engine's own processes log: one format, and no secret in any line."""

import logging
from typing import TextIO

from omma_engine.redaction import redact

FORMAT = "%(asctime)s %(levelname).1s %(name)s: %(message)s"
_TALKATIVE = ("httpx", "httpcore")  # a line for each request, with its whole address


class RedactingFormatter(logging.Formatter):
    """Write a record, with its traceback, through `redact`."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


def log_to_stderr(stream: TextIO | None = None) -> None:
    """Set up the process's log. Called once, first of all."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
