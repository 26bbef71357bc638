"""Speaking for the packet loop while the disk holds it up.

A write or a sync may take seconds, on a disk that spins up or a network that stalls, and nothing interrupts
it. The loop cannot beat then, and a supervisor that ended it would lose what waits in memory. The reading
thread, which is awake anyway, looks now and then where the loop stands: in the code that writes to the disk,
it beats in its stead and says since when; anywhere else it stays silent, so that a loop that hangs is ended,
and writes down where that was.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType

from omma_engine.capture import journal
from omma_engine.record import recover, segment, volume

logger = logging.getLogger(__name__)

PATIENCE_US = 1_500_000
_EVERY_US = 1_000_000
_DUMP_US = 5_000_000
_DEPTH = 6  # the library's own frames, such as those of `pathlib`, lie above ours
_AT_DISK = frozenset(module.__file__ for module in (journal, recover, segment, volume))


class Vigil:
    """Made on the thread that it watches; `turned` is called there, and `look` on the other one."""

    def __init__(self, beat: Callable[[float], None], *, now_us: int) -> None:
        """`beat` takes for how many seconds the disk has held up the loop; it is called from `look`."""
        self._beat = beat
        self._watched = threading.get_ident()
        self._turned_us = self._said_us = now_us
        self._is_written_down = False

    def turned(self, now_us: int) -> float:
        """Note that the loop has come round, and return how many seconds that took."""
        took_us, self._turned_us = now_us - self._turned_us, now_us
        self._is_written_down = False
        return took_us / 1_000_000

    def look(self, now_us: int) -> None:
        """Beat where the loop waits for the disk. Costs next to nothing while the loop turns."""
        silent_us = now_us - self._turned_us
        if silent_us < PATIENCE_US or now_us - self._said_us < _EVERY_US:
            return
        self._said_us = now_us
        frame = sys._current_frames().get(self._watched)
        if _is_at_disk(frame):
            self._beat(silent_us / 1_000_000)
        elif silent_us > _DUMP_US and not self._is_written_down:
            self._is_written_down = True
            where = "".join(traceback.format_stack(frame))
            logger.error("the packet loop has hung for %.0f s:\n%s", silent_us / 1_000_000, where)


def _is_at_disk(frame: FrameType | None) -> bool:
    for _ in range(_DEPTH):
        if frame is None:
            return False
        if frame.f_code.co_filename in _AT_DISK:
            return True
        frame = frame.f_back
    return False
