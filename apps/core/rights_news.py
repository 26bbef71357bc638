"""Word that somebody's rights may have changed, so that what is open looks again at once and not in a while.

It is a hint: whoever waits for it also looks every few seconds. Written by the audit, in the transaction of
the change; heard by one listener per web process, while anybody waits.
"""

import asyncio
import logging
from contextlib import suppress
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection

from apps.core import own_connections

logger = logging.getLogger(__name__)

CHANNEL = "omma_rights"
SUBJECTS = frozenset({"account", "camera", "camera_group", "member", "token", "user"})
NO_CHANGE = frozenset({"user.logged_in"})
RETRY_S = 1.0
IDLE_S = 30.0


def announce(action: str) -> None:
    """Wake who waits, when the transaction commits and the action is about somebody's rights."""
    if action.partition(".")[0] in SUBJECTS and action not in NO_CHANGE:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


class RightsWatch:
    """Hears that rights have changed. `generation` counts how often."""

    def __init__(self) -> None:
        self.generation = 0
        self._changed = asyncio.Event()
        self._listener: asyncio.Task[None] | None = None
        self._waiting = 0

    async def wait(self, timeout_s: float, *, since: int | None = None) -> None:
        """Return when rights have changed since that generation (default: from now on), or after a while."""
        if self._listener is None or self._listener.done():
            self._listener = asyncio.create_task(self._listen())
        if since is not None and since != self.generation:
            return
        self._waiting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
        finally:
            self._waiting -= 1

    async def _listen(self) -> None:
        """Listen until nobody has waited for a while; what was missed meanwhile counts as a change."""
        while True:
            try:
                async with await own_connections.connect_async("omma rights") as listener:
                    await listener.execute(f"LISTEN {CHANNEL}")
                    self._tell()
                    while await self._hear(listener) or self._waiting:
                        continue
                    return
            except psycopg.Error as error:
                logger.warning("rights: the database is away, trying again: %s", str(error).strip())
                await asyncio.sleep(RETRY_S)

    async def _hear(self, listener: "psycopg.AsyncConnection[tuple[object, ...]]") -> bool:
        """Pass one word on; tell whether there was one within a while."""
        async for _ in listener.notifies(timeout=IDLE_S, stop_after=1):
            self._tell()
            return True
        return False

    def _tell(self) -> None:
        self.generation += 1
        self._changed.set()
        self._changed = asyncio.Event()


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, RightsWatch] = WeakKeyDictionary()


def rights_watch() -> RightsWatch:
    """Return the watch of the running event loop; a web process has one loop, and so one listener."""
    loop = asyncio.get_running_loop()
    if loop not in _by_loop:
        _by_loop[loop] = RightsWatch()
    return _by_loop[loop]
