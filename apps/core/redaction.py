"""Log filters: no secrets in any line, and no traceback for what a client did wrong."""

import logging

from omma_engine.redaction import redact

_REFUSALS = "django.security."  # a wrong Host, a body that is too big: the client's doing, said in one line


class RedactingFilter(logging.Filter):
    """Rewrite each record's message, with its arguments already in it, and its traceback through `redact`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:  # a formatter takes the text that is there already
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


class RefusalFilter(logging.Filter):
    """Take the traceback off what Django says about requests that it refused."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(_REFUSALS):
            record.exc_info = record.exc_text = None
        return True
