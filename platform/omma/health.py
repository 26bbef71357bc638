"""Whether one member of Omma is well, for a container's health check: `python -m omma.health NAME`."""

import os
import socket
import sys
import time
from pathlib import Path

from omma import env
from omma.tree.readiness import can_log_in

WORKERS = ("capture", "inference", "jobs", "default")
PING_TIMEOUT_S = 5.0
BEAT_SILENT_S = 60.0


def is_well(name: str) -> bool:
    """Ask a member of this host whether it is well; raise `ValueError` for an unknown name."""
    if name == "web":
        return can_log_in(env.read_text("OMMA_HOST", "127.0.0.1"), env.read_int("OMMA_PORT", 8000))
    if name == "beat":
        return is_beat_well(env.read_path("OMMA_DATA_DIR", Path("var")))
    if name in WORKERS:
        return is_worker_well(name)
    raise ValueError(f"expected web, beat or one of {', '.join(WORKERS)}, got {name!r}")


def is_beat_well(data_dir: Path) -> bool:
    """Tell whether beat has ticked lately."""
    sign = data_dir / "cache" / f"beat-{socket.gethostname()}.alive"
    return sign.is_file() and time.time() - sign.stat().st_mtime < BEAT_SILENT_S


def is_worker_well(name: str) -> bool:
    """Ping a worker through the broker."""
    from omma.celery import app  # not at the top: the other checks need no Celery

    answers = app.control.ping(destination=[f"{name}@{socket.gethostname()}"], timeout=PING_TIMEOUT_S)
    return bool(answers)


def main() -> int:
    """Return 0 when the member is well."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "omma.settings.dev")
    return 0 if is_well(sys.argv[1]) else 1


if __name__ == "__main__":
    sys.exit(main())
