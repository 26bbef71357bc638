"""What becomes of volumes: looked at every few seconds, noted, and told when it changes.

Looking never changes what is in a volume, and a state other than ready is never a reason to delete anything.
"""

import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.utils import timezone

from apps.core import outbox
from apps.core.exceptions import OmmaError
from apps.core.leases import nudge
from apps.core.models import LeaseKind
from apps.streams.models import Volume, VolumeState
from apps.streams.stores.base import Room, Store
from apps.streams.stores.choosing import store_of
from apps.streams.volume_choice import volumes_of_host
from apps.streams.volumes import installation_id

logger = logging.getLogger(__name__)

WATCH_EVERY_S = 5.0
ANSWER_WITHIN_S = 3.0
LEAST_FREE_FILES = 64
FAILING_RESTS = timedelta(minutes=1)
_WRITABLE = {VolumeState.READY, VolumeState.FULL}
DETAIL_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Look:
    """A volume as it was found."""

    state: VolumeState
    detail: str = ""
    free_bytes: int | None = None
    total_bytes: int | None = None


def state_of(volume: Volume) -> VolumeState:
    """Look at a volume and return its state."""
    return look_at(volume).state


def look_at(volume: Volume, ours: UUID | None = None) -> Look:
    """Look at a volume; `ours` is this installation, which is asked of the database where it is not given.

    What hangs, as a network disk may, is for the caller to bound.
    """
    ours = ours or installation_id()
    try:
        store = store_of(volume)
        identity = store.identity()
        if identity is None:
            return Look(VolumeState.MISSING, f"there is no identity file at {volume.root}")
        if identity.volume_id != volume.id:
            return Look(VolumeState.FOREIGN, f"another volume is at {volume.root}")
        if identity.installation not in {None, ours}:
            return Look(VolumeState.FOREIGN, "it belongs to another installation")
        found = _of_room(volume, store.room())
        return _of_failure(volume, store) or found if found.state in _WRITABLE else found
    except OSError as error:
        return Look(VolumeState.MISSING, str(error))
    except OmmaError as error:
        return Look(VolumeState.MISSING, error.message)


def check_volumes(host: str | None = None) -> int:
    """Look at every volume of this machine and note its state; return how many changed.

    One that does not answer in time is missing.
    """
    rows = volumes_of_host(host or socket.gethostname(), Volume.objects.order_by("id"))
    ours = installation_id()
    looks = [(volume, _looking(volume, ours)) for volume in rows]
    return sum(note(volume, _answer(volume, looking)) for volume, looking in looks)


def note(volume: Volume, look: Look) -> bool:
    """Note how a volume was found; tell whether its state is another than before."""
    now = timezone.now()
    with transaction.atomic():
        rows = Volume.objects.filter(id=volume.id)
        changed = rows.filter(state=volume.state).exclude(state=look.state)  # unless a failure came between
        is_new = bool(changed.update(state=look.state, state_since=now))
        rows.update(
            checked_at=now,
            state_detail=look.detail[:DETAIL_LENGTH],
            free_bytes=look.free_bytes,
            total_bytes=look.total_bytes,
        )
        if is_new:
            tell(volume, {"state": look.state.value, "detail": look.detail[:DETAIL_LENGTH]})
            nudge(LeaseKind.SOURCE.value)
    if is_new:
        level = logging.INFO if look.state == VolumeState.READY else logging.WARNING
        logger.log(level, "volume %s is %s: %s", volume.name, look.state, look.detail or "all is well")
    return is_new


def tell(volume: Volume, payload: dict[str, object]) -> None:
    """Send the system's news about a volume."""
    outbox.publish(
        "system.updated",
        subject_kind="volume",
        subject_id=volume.id,
        payload={"name": volume.name, **payload},
    )


class VolumeWatch:
    """A component of capture workers: looks at this machine's volumes all the time, also without beat."""

    def __init__(self, every_s: float = WATCH_EVERY_S, check: Callable[[], object] = check_volumes) -> None:
        self._every_s = every_s
        self._check = check
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="volume-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(ANSWER_WITHIN_S)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            try:
                self._check()
            except DatabaseError as error:
                logger.warning("volumes are not looked at, the database is away: %s", str(error).strip())
            except Exception:
                logger.exception("looking at the volumes failed")
            connection.close()


_waiting: dict[UUID, Future[Look]] = {}  # looks that have not come back: no second one is sent after them
_waiting_lock = threading.Lock()


def _looking(volume: Volume, ours: UUID) -> Future[Look]:
    """Look in a thread of its own, without the database, or join the one that still looks."""
    with _waiting_lock:
        known = _waiting.get(volume.id)
        if known is not None and not known.done():
            return known
        future = _waiting[volume.id] = Future()

    def look() -> None:
        try:
            future.set_result(look_at(volume, ours))
        finally:
            future.cancel()  # where it failed; does nothing once there is a result

    threading.Thread(target=look, name=f"look-{volume.name}", daemon=True).start()
    return future


def _answer(volume: Volume, looking: Future[Look]) -> Look:
    try:
        return looking.result(ANSWER_WITHIN_S)
    except (TimeoutError, CancelledError):
        return Look(VolumeState.MISSING, f"it does not answer within {ANSWER_WITHIN_S:.0f} s")


def _of_failure(volume: Volume, store: Store) -> Look | None:
    """Return that a volume whose disk failed goes on failing; None where it may be trusted (again).

    It is left alone for a minute, and then tried.
    """
    if volume.state != VolumeState.FAILING:
        return None
    room = store.room()
    words = volume.state_detail
    if volume.state_since is None or timezone.now() - volume.state_since >= FAILING_RESTS:
        try:
            store.try_writing()
        except OSError as error:
            words = f"{error.strerror or error}, when it was tried again"
        else:
            return None
    return Look(VolumeState.FAILING, words, room.free_bytes, room.total_bytes)


def _of_room(volume: Volume, room: Room) -> Look:
    state, detail = VolumeState.READY, ""
    if room.is_read_only:
        state, detail = VolumeState.READ_ONLY, "it takes no files"
    elif room.free_bytes is not None and room.free_bytes < volume.min_free_bytes:
        state, detail = VolumeState.FULL, "less than its least free space is left"
    elif room.free_files is not None and room.free_files < LEAST_FREE_FILES:
        state, detail = VolumeState.FULL, "it has no room for more files, however small"
    elif volume.max_bytes is not None and volume.used_bytes >= volume.max_bytes:
        state, detail = VolumeState.FULL, "its quota is used up"
    return Look(state, detail, room.free_bytes, room.total_bytes)
