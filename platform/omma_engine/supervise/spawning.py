"""Starting processes: the protocol, and the spawner that execs one program per child.

Everything here is called from the supervisor's loop thread only: parent-death signals fire when the spawning
*thread* ends.
"""

import logging
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spawned:
    """A child's process, and our end of its line. `pid` is 0 until a zygote has told it."""

    key: str
    connection: socket.socket
    pid: int


@dataclass(frozen=True, slots=True)
class Exit:
    """A child has ended; `status` is negative for a signal, as in `subprocess`.

    `is_own` is false where it was pulled along by what it was forked from.
    """

    key: str
    pid: int
    status: int
    is_own: bool = True


class Spawner(Protocol):
    """Makes children. `poll` must be called every round and tells each exit once."""

    def start(self) -> None: ...
    def spawn(self, key: str, payload: Any) -> Spawned:
        """Start one child; raises `OSError` where that cannot be done now."""
        ...

    def poll(self) -> list[Exit]: ...
    def kill(self, key: str) -> None:
        """Send SIGKILL to a child that does not leave."""
        ...

    def filenos(self) -> Sequence[int]:
        """Descriptors that become readable when `poll` has something to tell."""
        ...

    def stop(self) -> None:
        """End everything that is left, bounded to a second."""
        ...


class ExecSpawner:
    """Execs a program per child, with our line as an inherited descriptor."""

    def __init__(
        self,
        command: Callable[[str, Any, int], list[str]],
        *,
        niceness: int = 0,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`command` makes the argument list from (key, payload, descriptor of the child's end).

        `environment` is all that children get; None: ours.
        """
        self._command = command
        self._niceness = niceness
        self._environment = environment
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        return

    def spawn(self, key: str, payload: Any) -> Spawned:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            process = subprocess.Popen(
                self._command(key, payload, theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        if self._niceness:
            _renice(process.pid, self._niceness)
        self._processes[key] = process
        return Spawned(key, ours, process.pid)

    def poll(self) -> list[Exit]:
        exits = []
        for key, process in list(self._processes.items()):
            status = process.poll()
            if status is not None:
                del self._processes[key]
                exits.append(Exit(key, process.pid, status))
        return exits

    def kill(self, key: str) -> None:
        process = self._processes.get(key)
        if process is not None:
            process.kill()

    def filenos(self) -> Sequence[int]:
        return ()

    def stop(self) -> None:
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait(timeout=1)
        self._processes.clear()


class ChoosingSpawner:
    """Sends each child to one of two spawners: raw sources are exec'd, all others forked."""

    def __init__(self, *, forked: Spawner, exec_: Spawner, is_raw: Callable[[Any], bool]) -> None:
        self._forked = forked
        self._exec = exec_
        self._is_raw = is_raw

    def start(self) -> None:
        self._forked.start()
        self._exec.start()

    def spawn(self, key: str, payload: Any) -> Spawned:
        return (self._exec if self._is_raw(payload) else self._forked).spawn(key, payload)

    def poll(self) -> list[Exit]:
        return [*self._forked.poll(), *self._exec.poll()]

    def kill(self, key: str) -> None:
        self._forked.kill(key)
        self._exec.kill(key)

    def filenos(self) -> Sequence[int]:
        return [*self._forked.filenos(), *self._exec.filenos()]

    def stop(self) -> None:
        self._forked.stop()
        self._exec.stop()


def kill_process(pid: int) -> None:
    """Send SIGKILL to a process that may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        logger.debug("process %d is gone already", pid)


def _renice(pid: int, niceness: int) -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    except OSError as error:
        logger.debug("process %d keeps its priority: %s", pid, error)
