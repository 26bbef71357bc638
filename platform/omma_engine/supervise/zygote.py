"""Forking capture children from a zygote: `python -m omma_engine.capture.zygote`.

The control line is a SOCK_SEQPACKET pair. Down: `{"do": "fork", "id": key}` with one descriptor attached, the
child's end of its line. Up: `{"say": "forked", "id", "pid"}` and `{"say": "exit", "id", "pid", "status"}`.
"""

import json
import logging
import socket
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from omma_engine.supervise.spawning import Exit, Spawned, kill_process

logger = logging.getLogger(__name__)

_DATAGRAM_BYTES = 65_536


class ZygoteSpawner:
    """Keeps one zygote alive and forks children from it.

    A dead zygote takes its children with it: each is told as an exit, and the next `spawn` starts another.
    """

    def __init__(self, command: Callable[[int], list[str]]) -> None:
        """`command` makes the zygote's argument list from the descriptor of its end of the control line."""
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._children: dict[str, int] = {}  # key → pid, 0 while the zygote has not told it

    @property
    def pid(self) -> int:
        """The zygote's process id, 0 while there is none."""
        return self._process.pid if self._process else 0

    def start(self) -> None:
        if self._process is not None:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            self._process = subprocess.Popen(
                self._command(theirs.fileno()),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._control = ours

    def spawn(self, key: str, payload: Any) -> Spawned:
        del payload  # the child reads it from its line
        self.start()
        control = self._control
        if control is None:
            raise OSError("the zygote has no control line")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            socket.send_fds(control, [json.dumps({"do": "fork", "id": key}).encode()], [theirs.fileno()])
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._children[key] = 0
        return Spawned(key, ours, 0)

    def poll(self) -> list[Exit]:
        exits = self._read_control()
        if self._process is not None and self._process.poll() is not None:
            logger.warning("the zygote ended with status %s", self._process.returncode)
            exits.extend(self._all_gone())
        return exits

    def kill(self, key: str) -> None:
        pid = self._children.get(key)
        if pid:
            kill_process(pid)
        elif pid == 0:
            self._end_process()  # it never said that it forked: it hangs

    def filenos(self) -> Sequence[int]:
        return (self._control.fileno(),) if self._control is not None else ()

    def stop(self) -> None:
        if self._process is None:
            return
        if self._control is not None:
            self._control.close()  # the zygote leaves when its line ends, and its children with it
        try:
            self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=0.5)
        self._forget()

    def _read_control(self) -> list[Exit]:
        exits: list[Exit] = []
        while self._control is not None:
            try:
                datagram = self._control.recv(_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            except OSError:
                datagram = b""
            if not datagram:
                self._end_process()  # a zygote without its line is of no use; `poll` tells the exits
                break
            ended = self._hear(json.loads(datagram))
            if ended is not None:
                exits.append(ended)
        return exits

    def _hear(self, message: dict[str, Any]) -> Exit | None:
        key = str(message.get("id", ""))
        if message.get("say") == "forked" and key in self._children:
            self._children[key] = int(message["pid"])
        if message.get("say") == "exit" and key in self._children:
            del self._children[key]
            return Exit(key, int(message["pid"]), int(message["status"]))
        return None

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=1)

    def _all_gone(self) -> list[Exit]:
        status = self._process.returncode if self._process else -9
        exits = [Exit(key, pid, status or -9, is_own=False) for key, pid in self._children.items()]
        self._forget()
        return exits

    def _forget(self) -> None:
        if self._control is not None:
            self._control.close()
        self._control = None
        self._process = None
        self._children.clear()
