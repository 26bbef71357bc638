"""Hand news to its subscribers: in order, each row in one transaction with the reader's position."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, transaction

from apps.core.models import OutboxPosition
from apps.core.outbox import BatchHandler, Cursor, OutboxRow, Subscriber, read_after, subscribers

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
MAX_FAILURES = (
    10  # about four minutes of tries; then the row is given up, so that it does not hold up all others
)

Reader = Callable[[Cursor], Sequence[OutboxRow]]


@dataclass(slots=True)
class _Pause:
    """When a subscriber whose handler failed is tried again."""

    until_s: float


class Dispatcher:
    """Delivers to every subscriber. One thread uses it."""

    def __init__(
        self,
        *,
        read: Reader = read_after,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._monotonic = monotonic
        self._pauses: dict[str, _Pause] = {}

    def deliver(self) -> int:
        """Deliver one batch to each subscriber that is not pausing; return how many rows were looked at."""
        return sum(self._deliver_to(subscriber) for subscriber in subscribers())

    def _deliver_to(self, subscriber: Subscriber) -> int:
        pause = self._pauses.get(subscriber.name)
        if pause is not None and self._monotonic() < pause.until_s:
            return 0
        start = _position_of(subscriber.name)
        rows = self._read(start)
        take = subscriber.take_batch
        if take is not None and self._take_batch(subscriber, take, rows):
            return len(rows)
        for row in rows:
            if row.kind in subscriber.kinds and not self._handle(subscriber, row):
                return 0
        if rows and rows[-1].kind not in subscriber.kinds:
            _move(subscriber.name, rows[-1].cursor)
        return len(rows)

    def _take_batch(self, subscriber: Subscriber, take: BatchHandler, rows: Sequence[OutboxRow]) -> bool:
        """Hand over all rows at once and move on; False where that fails, and each has to be tried alone."""
        wanted = [row for row in rows if row.kind in subscriber.kinds]
        if not wanted:
            return False
        try:
            with transaction.atomic():
                position = _locked_position(subscriber.name)
                left = [row for row in wanted if position < row.cursor]
                if left:
                    take(left)
                    _move(subscriber.name, rows[-1].cursor)
        except (OperationalError, InterfaceError):
            raise  # the database went away: no fault of the rows
        except Exception as error:
            logger.warning(
                "%s: failed on %d rows, trying each alone", subscriber.name, len(wanted), exc_info=error
            )
            return False
        self._pauses.pop(subscriber.name, None)
        return True

    def _handle(self, subscriber: Subscriber, row: OutboxRow) -> bool:
        """Run the handler and move on, together or not at all; tell whether the next row may follow."""
        try:
            with transaction.atomic():
                if not _lock_before(subscriber.name, row.cursor):
                    return True  # another dispatcher has delivered it
                subscriber.handler(row)
                _move(subscriber.name, row.cursor)
        except (OperationalError, InterfaceError):
            raise  # the database went away: no fault of the row
        except Exception as error:  # noqa: BLE001 - the top of a worker's loop: log, count, decide
            return self._fail(subscriber, row, error)
        self._pauses.pop(subscriber.name, None)
        return True

    def _fail(self, subscriber: Subscriber, row: OutboxRow, error: Exception) -> bool:
        position, _ = OutboxPosition.objects.get_or_create(subscriber=subscriber.name)
        failures = position.failures + 1
        if failures >= MAX_FAILURES:
            logger.error(
                "%s: gave up on %s (%s) after %d tries",
                subscriber.name,
                row.kind,
                row.id,
                failures,
                exc_info=error,
            )
            _move(subscriber.name, row.cursor)
            self._pauses.pop(subscriber.name, None)
            return True
        logger.warning("%s: failed on %s (%s), will retry", subscriber.name, row.kind, row.id, exc_info=error)
        position.failures, position.last_error = failures, f"{type(error).__name__}: {error}"[:500]
        position.save(update_fields=["failures", "last_error", "updated_at"])
        wait_s = min(FIRST_PAUSE_S * 2 ** (failures - 1), LONGEST_PAUSE_S)
        self._pauses[subscriber.name] = _Pause(self._monotonic() + wait_s)
        return False


def _position_of(name: str) -> Cursor:
    row = OutboxPosition.objects.filter(subscriber=name).first()
    return Cursor(row.xid, row.outbox_id) if row else Cursor()


def _lock_before(name: str, cursor: Cursor) -> bool:
    """Lock the reader's position, and tell whether it is still before this place."""
    return _locked_position(name) < cursor


def _locked_position(name: str) -> Cursor:
    OutboxPosition.objects.get_or_create(subscriber=name)
    row = OutboxPosition.objects.select_for_update().get(subscriber=name)
    return Cursor(row.xid, row.outbox_id)


def _move(name: str, cursor: Cursor) -> None:
    OutboxPosition.objects.update_or_create(
        subscriber=name,
        defaults={"xid": cursor.xid, "outbox_id": cursor.id, "failures": 0, "last_error": ""},
    )
