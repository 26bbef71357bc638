"""Whether the wall clock may be believed where footage is deleted by its age.

A clock that is set forward makes all footage old at once. So a step of more than an hour since the last run
is not believed for an hour: long enough for a person, or NTP, to set it back. Sizes and room still are met.
"""

import json
import logging
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

logger = logging.getLogger(__name__)

STEP_S = 3600.0
BELIEVED_AFTER_S = 3600.0
LONG_OFF_S = 30 * 24 * 3600.0  # a machine that was off for longer is told from a clock that jumped by waiting
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment, in seconds; `since_boot_s` counts on while the machine sleeps."""

    wall_s: float
    since_boot_s: float
    boot: str


def read_clocks() -> Reading:
    """Return what the clocks show now."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else ""
    return Reading(time.time(), time.clock_gettime(clock), boot)


def is_believed(job: str, reading: Reading | None = None) -> bool:
    """Tell whether a job may believe the clock, and note how it stands for the job's next run."""
    now = reading or read_clocks()
    path = Path(settings.OMMA_DATA_DIR) / f"{job}-clock.json"
    last, doubted_s = _noted(path)
    if last is not None:
        jump_s = _jump(last, now)
        if jump_s > STEP_S:
            logger.error("the clock was set forward by %.0f s: ages are not believed for an hour", jump_s)
            doubted_s = now.wall_s
        elif jump_s < -STEP_S:
            doubted_s = None  # it was set back, or right
    if doubted_s is not None and not 0 <= now.wall_s - doubted_s < BELIEVED_AFTER_S:
        doubted_s = None
    _note(path, now, doubted_s)
    return doubted_s is None


def _jump(last: Reading, now: Reading) -> float:
    """Return by how much more the wall clock went on than time did."""
    elapsed_s = now.wall_s - last.wall_s
    if last.boot and last.boot == now.boot:
        return elapsed_s - (now.since_boot_s - last.since_boot_s)
    return elapsed_s if abs(elapsed_s) > LONG_OFF_S else 0.0


def _noted(path: Path) -> tuple[Reading | None, float | None]:
    try:
        values = json.loads(path.read_text())
        doubted = values["doubted_s"]
        reading = Reading(float(values["wall_s"]), float(values["since_boot_s"]), str(values["boot"]))
        return reading, None if doubted is None else float(doubted)
    except (OSError, ValueError, KeyError, TypeError):
        return None, None


def _note(path: Path, now: Reading, doubted_s: float | None) -> None:
    values = {
        "wall_s": now.wall_s,
        "since_boot_s": now.since_boot_s,
        "boot": now.boot,
        "doubted_s": doubted_s,
    }
    draft = path.with_suffix(".new")
    try:
        draft.write_text(json.dumps(values))
        draft.replace(path)
    except OSError as error:
        logger.warning("cannot note how the clock stands: %s", error)
