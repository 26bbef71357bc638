"""Celery's command line, ended at once: `python -m omma.celery_main -A omma worker …`.

What has to be finished is finished by then. The interpreter's own tidying up of a thousand modules takes
seconds on a busy machine, and whoever stops Omma waits for it.
"""

import logging
import os
import sys

from celery.__main__ import main as celery_main


def run() -> int:
    """Run the command; return its exit status."""
    try:
        celery_main()
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
            return 1
        return end.code or 0
    return 0


def main() -> None:
    """Run the command and leave with its status."""
    status = run()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
