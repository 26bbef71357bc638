"""What a zygote does once before it forks: it records a moment from a camera of its own.

Python loads, specialises and caches at first use. Each child would do all that in pages that it then has for
itself; what the zygote has done already, they share.
"""

import json
import logging
import os
import re
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

from omma_engine.capture.child import run_child
from omma_engine.capture.publishing import PublisherFactory
from omma_engine.capture.rehearsal_camera import RehearsalCamera
from omma_engine.capture.spec import encode_spec
from omma_engine.record.volume import IDENTITY_FILE
from omma_engine.types import RecordMode, SourceKind, SourceSpec, StreamSpec

logger = logging.getLogger(__name__)

_MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
_ROUND_S = 0.004
_THREADS_S = 5.0


def rehearse(publishers: PublisherFactory, data_dir: Path) -> bool:
    """Record a moment, and return whether this process has one thread again, as it must have to fork.

    `publishers` is used up by it. What cannot be rehearsed, because there is no loopback, say, is left out.
    """
    try:
        folder = _make_folder(data_dir)
    except OSError as error:
        logger.warning("recording cannot be rehearsed: %s", error)
        return True
    handler = signal.getsignal(signal.SIGTERM)
    try:
        _record(publishers, folder)
    except OSError as error:
        logger.warning("recording cannot be rehearsed: %s", error)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGTERM, handler)
        _remove(folder)
    return _has_one_thread()


def _record(publishers: PublisherFactory, folder: Path) -> None:
    camera = RehearsalCamera()
    ours, theirs = socket.socketpair()
    director = threading.Thread(target=_direct, args=(camera, ours, folder), daemon=True)
    director.start()
    try:
        run_child(theirs, publishers)
    finally:
        ours.close()
        camera.close()
        director.join(_THREADS_S)


def _direct(camera: RehearsalCamera, line: socket.socket, folder: Path) -> None:
    """Be the supervisor and the camera of one short life."""
    try:
        _tell(line, {"do": "start", "spec": encode_spec(_spec(camera.url, folder)), "epoch": 1})
        camera.answer()
        for _ in camera.pictures():
            _tell(line, {"do": "beat"})
            time.sleep(_ROUND_S)
        told = re.findall(rb'"sequence":(\d+)', line.recv(1 << 20))
        if told:
            _tell(line, {"do": "ack", "sequence": int(told[-1])})
    except OSError as error:
        logger.warning("recording was rehearsed in part: %s", error)
    finally:
        _tell(line, {"do": "stop"})
        camera.close()


def _tell(line: socket.socket, message: dict[str, object]) -> None:
    try:
        line.sendall(json.dumps(message).encode() + b"\n")
    except OSError as error:
        logger.debug("who rehearses does not listen: %s", error)


def _spec(url: str, folder: Path) -> SourceSpec:
    stream = StreamSpec(uuid4(), "main", RecordMode.CONTINUOUS, folder)
    return SourceSpec(uuid4(), uuid4(), uuid4(), SourceKind.RTSP, url, (stream,), numeric_host="127.0.0.1")


def _make_folder(data_dir: Path) -> Path:
    """Make an empty volume, in memory where there is a place for it."""
    parent = _MEMORY_FOLDER if os.access(_MEMORY_FOLDER, os.W_OK) else data_dir
    folder = parent / f"omma-rehearsal-{uuid4()}"
    folder.mkdir(mode=0o700)
    (folder / IDENTITY_FILE).write_text(json.dumps({"volume_id": str(uuid4()), "format": 1}))
    return folder


def _remove(folder: Path) -> None:
    try:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()
    except OSError as error:
        logger.warning("the rehearsal's folder stays: %s", error)


def _has_one_thread() -> bool:
    """Wait for the threads of the rehearsal; the kernel's count is what matters to a fork."""
    deadline_s = time.monotonic() + _THREADS_S
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(max(0.0, deadline_s - time.monotonic()))
    while _thread_count() > 1 and time.monotonic() < deadline_s:
        time.sleep(0.001)
    return _thread_count() == 1


def _thread_count() -> int:
    if sys.platform.startswith("linux"):
        return len(list(Path("/proc/self/task").iterdir()))
    return threading.active_count()
