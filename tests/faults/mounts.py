"""Mounts that nobody else sees: a test's function runs in a process and mount namespace of its own."""

import ctypes
import os
import pickle
import subprocess
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Answer = TypeVar("Answer")
_CLONE_NEWNS = 0x0002_0000


def in_own_mounts(function: Callable[[], Answer]) -> Answer:
    """Run a function where it may mount as it likes, and return its answer; what it raises fails the test.

    Skips where namespaces are not allowed.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _answer_and_end(function, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    kind, value = pickle.loads(data)  # noqa: S301 - it comes from our own child
    if kind == "skip":
        pytest.skip(f"not run: {value}")
    if kind == "error":
        pytest.fail(value)
    answer: Answer = value
    return answer


def mount_tmpfs(folder: Path, *, size_kb: int) -> None:
    """Mount an empty disk of so many kilobytes in memory."""
    folder.mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(folder))


def mount_ext4(folder: Path, *, size_mb: int, files: int) -> None:
    """Mount an ext4 file system in a file, with room for so many files."""
    folder.mkdir(exist_ok=True)
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    run("mkfs.ext4", "-q", "-F", "-N", str(files), str(image))
    run("mount", "-o", "loop", str(image), str(folder))


def run(*command: str) -> None:
    """Run a command; where it fails, the fault cannot be injected here."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError as error:
        raise CannotInjectError(f"there is no {command[0]}") from error
    if done.returncode:
        raise CannotInjectError(f"{' '.join(command)}: {done.stderr.strip()}")


class CannotInjectError(Exception):
    """This machine does not let us."""


def _answer_and_end(function: Callable[[], Answer], writing: int) -> None:
    answer: tuple[str, object]
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(_CLONE_NEWNS):
            raise CannotInjectError(f"unshare: {os.strerror(ctypes.get_errno())}")
        run("mount", "--make-rprivate", "/")
        answer = ("ok", function())
    except CannotInjectError as error:
        answer = ("skip", str(error))
    except BaseException:  # noqa: BLE001 - it ends this process, and is told to the test
        answer = ("error", traceback.format_exc())
    with os.fdopen(writing, "wb") as pipe:
        pickle.dump(answer, pipe)
    os._exit(0)
