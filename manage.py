#!/usr/bin/env python
"""Run Omma's management commands."""

import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Hand the command line to Django."""
    root = Path(__file__).resolve().parent
    # Appended, never inserted: `platform/` in front of the standard library would shadow it (ADR 0001).
    for path in (str(root), str(root / "platform")):
        if path not in sys.path:
            sys.path.append(path)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omma.settings.dev")
    if sys.argv[1:2] == ["up"]:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a Ctrl-C while this loads needs no traceback
    if sys.argv[1:2] in (["capture"], ["inference"]):
        os.environ.setdefault("OMMA_HAS_PAGES", "0")  # they run for long, and show nothing
        os.environ.setdefault("OMMA_HAS_TASKS", "0")  # and they are no Celery workers
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from omma.env import SettingError

    try:
        execute_from_command_line(sys.argv)
    except SettingError as error:
        sys.exit(f"Omma cannot start: {error}")
    except OperationalError as error:
        if "--traceback" in sys.argv:
            raise
        reason = str(error).partition("\n")[0]
        sys.exit(f"The database does not answer: {reason}\nStart Omma with `make run`, or set DATABASE_URL.")


if __name__ == "__main__":
    main()
