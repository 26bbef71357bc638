"""A wall clock of a process's own: a small library, loaded before all others, that a test may set.

`SkewedClock.environment` is for the process whose clock is to be wrong; `set` changes it, while it runs too.
Monotonic time, and what the kernel says of time, stay as they are.
"""

import mmap
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long *offset_s;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("WRONG_CLOCK");
    int file = path ? open(path, O_RDONLY) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof(long), PROT_READ, MAP_SHARED, file, 0);
    if (page != MAP_FAILED) offset_s = page;
    if (file >= 0) close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (offset_s && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *offset_s;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (where) *where = exact.tv_sec;
    return exact.tv_sec;
}
"""
_NUMBER = struct.Struct("@l")


class SkewedClock:
    """The wall clock of the processes that are started with `environment`."""

    def __init__(self, folder: Path, offset_s: int = 0) -> None:
        self._file = folder / f"clock-{offset_s}"
        self._library = _library(folder)
        self.set(offset_s)

    @property
    def environment(self) -> Mapping[str, str]:
        return {"LD_PRELOAD": str(self._library), "WRONG_CLOCK": str(self._file)}

    def set(self, offset_s: int) -> None:
        """Set the clock so many seconds ahead of the real one."""
        if not self._file.exists():
            self._file.write_bytes(_NUMBER.pack(offset_s))
        with self._file.open("r+b") as file, mmap.mmap(file.fileno(), _NUMBER.size) as page:
            page[:] = _NUMBER.pack(offset_s)


def _library(folder: Path) -> Path:
    """Build the library; a machine that cannot do that does not run the test."""
    built = folder / "wrong_clock.so"
    if built.exists():
        return built
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("not run: there is no C compiler to build a wrong clock with")
    source = folder / "wrong_clock.c"
    source.write_text(_SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(built), str(source)], check=True)
    return built
