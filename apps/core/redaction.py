"""The logging filter that keeps secrets out of every log line."""

import logging

from omma_engine.redaction import redact


class RedactingFilter(logging.Filter):
    """Rewrite each record's message, with its arguments already in it, through `redact`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        return True
