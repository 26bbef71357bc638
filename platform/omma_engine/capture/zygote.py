"""The zygote: a clean, single-threaded process that capture children are forked from.

`python -m omma_engine.capture.zygote --control-fd N --publisher module:function --bus-url URL --data-dir DIR`

The control socket is SOCK_SEQPACKET, one JSON object a datagram:

    down  {"do": "fork", "id": ...}, with one descriptor: the child's end of its line
    up    {"say": "forked", "id": ..., "pid": N}
    up    {"say": "exit", "id": ..., "pid": N, "status": N}     negative for a signal, as in `subprocess`

It has imported what recording needs and nothing that starts a thread: forking a process with threads is not
safe, and NumPy, OpenCV and Django each start some or weigh tens of megabytes. Children share its memory.
"""

import argparse
import gc
import json
import logging
import os
import select
import signal
import socket
import sys
from pathlib import Path

from omma_engine.capture.child import run_child
from omma_engine.capture.process import die_with_parent, is_orphan, name_process
from omma_engine.capture.publishing import PublisherFactory, publisher_factory
from omma_engine.capture.rehearsal import rehearse
from omma_engine.logs import log_to_stderr
from omma_engine.memory import fill_holes, let_go_of_files, use_one_arena
from omma_engine.sources import file, rtsp_camera  # forked children find their drivers loaded

logger = logging.getLogger(__name__)

_DATAGRAM_BYTES = 65_536
_LOADED_DRIVERS = (file, rtsp_camera)


class Zygote:
    """Forks children on request and reports their exits. One thread, for ever."""

    def __init__(self, control: socket.socket, publishers: PublisherFactory) -> None:
        self._control = control
        self._publishers = publishers
        self._pid = os.getpid()
        self._parent = os.getppid()
        self._children: dict[int, str] = {}
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> int:
        """Serve until the control socket closes; the children end with this process."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _settle()
        while not is_orphan(self._parent):
            readable, _, _ = select.select([self._control.fileno(), self._wake_read], [], [], 5.0)
            if self._wake_read in readable:
                os.read(self._wake_read, 4096)
            self._reap()
            if self._control.fileno() in readable and not self._serve():
                return 0
        return 0

    def _serve(self) -> bool:
        """Take one request, and return whether there may be more."""
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _DATAGRAM_BYTES, 1)
        except ConnectionResetError:  # the supervisor left with something unread
            return False
        if not data:
            return False
        request = json.loads(data)
        if request.get("do") != "fork" or len(descriptors) != 1:
            for descriptor in descriptors:
                os.close(descriptor)
            logger.error("the zygote was asked for something other than a fork")
            return True
        self._fork(str(request["id"]), descriptors[0])
        return True

    def _fork(self, key: str, descriptor: int) -> None:
        pid = os.fork()
        if pid == 0:
            self._become_child(descriptor)
        os.close(descriptor)
        self._children[pid] = key
        self._say({"say": "forked", "id": key, "pid": pid})

    def _become_child(self, descriptor: int) -> None:
        """Be a capture child until the end of this process. Never returns."""
        status = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self._control.close()
            os.close(self._wake_read)
            os.close(self._wake_write)
            die_with_parent()
            if not is_orphan(self._pid):
                status = run_child(socket.socket(fileno=descriptor), self._publishers)
            logging.shutdown()
        finally:
            os._exit(status)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            key = self._children.pop(pid, "")
            self._say({"say": "exit", "id": key, "pid": pid, "status": os.waitstatus_to_exitcode(status)})

    def _say(self, message: dict[str, object]) -> None:
        try:
            self._control.send(json.dumps(message).encode())
        except BrokenPipeError:
            logger.info("the supervisor is gone")


def main(arguments: list[str]) -> int:
    """Run the zygote."""
    parser = argparse.ArgumentParser(prog="omma_engine.capture.zygote")
    parser.add_argument("--control-fd", type=int, required=True)
    parser.add_argument("--publisher", required=True)
    parser.add_argument("--bus-url", default="")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--unrehearsed", action="store_true")
    options = parser.parse_args(arguments)
    die_with_parent()
    name_process("omma zygote")
    use_one_arena()
    log_to_stderr()
    publishers = publisher_factory(options.publisher, options.bus_url)
    if not options.unrehearsed:
        if not rehearse(publisher_factory(options.publisher, options.bus_url), options.data_dir):
            _begin_again(arguments)
        name_process("omma zygote")
    control = socket.socket(fileno=options.control_fd)
    return Zygote(control, publishers).run()


def _settle() -> None:
    """Lay out this process's memory for those who are to share it."""
    gc.collect()
    fill_holes()
    let_go_of_files()
    gc.freeze()


def _begin_again(arguments: list[str]) -> None:
    """Run this program anew without a rehearsal: a thread of it hangs, and no fork would be safe."""
    logger.warning("a thread of the rehearsal does not end: beginning again without one")
    module = "omma_engine.capture.zygote"
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments, "--unrehearsed"])  # noqa: S606 - ourselves


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
