"""What a process does to weigh less. Linux with glibc; elsewhere nothing is done.

Memory is counted by pages: one that several processes have in common is counted once, until one of them
writes to it.
"""

import ctypes
import gc
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGE_BYTES = 64 * 1024
_MADV_DONTNEED = 4
_LARGEST, _SMALLEST = 60_000, 24
_MOST_FILLINGS, _FILLED_BYTES = 8, 4096
_MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r-(.)p [0-9a-f]+ \S+ (\d+)")
_ANONYMOUS = re.compile(r"Anonymous: +(\d+) kB")


class _HeapFigures(ctypes.Structure):
    """`struct mallinfo2` (mallinfo(3))."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
            "keepcost",
        )
    )  # fmt: skip


def use_one_arena() -> None:
    """Keep all threads' small allocations in one heap, and give large ones back to the kernel at once.

    A heap per thread costs each process megabytes. Keyframes and fragments come and go; left to itself, glibc
    keeps the room for the largest that there ever were.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)
            mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
            mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def slim() -> None:
    """Give back what was needed to start: garbage, free pieces of the heap, pages of libraries."""
    gc.collect()
    if sys.platform == "linux" and hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)
    let_go_of_files()


def let_go_of_files() -> None:
    """Unmap the pages of programs and libraries; what is run or read again comes back by itself.

    Most of them are needed only while a library is loaded. Mappings that hold anything of our own, such as
    addresses that were filled in at loading, stay.
    """
    if sys.platform != "linux":
        return
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in list(_file_mappings()):
        madvise(start, end - start, _MADV_DONTNEED)


def fill_holes() -> None:
    """Take every free piece of the heap that lies between others, and keep it.

    They lie on pages that children share until they write there. What a child allocates then comes from
    behind the last piece, and lies together.
    """
    library = ctypes.CDLL(None)
    if sys.platform != "linux" or not hasattr(library, "mallinfo2"):
        return
    library.mallinfo2.restype = _HeapFigures
    library.malloc.restype = library.sbrk.restype = ctypes.c_void_p
    library.malloc.argtypes, library.free.argtypes = [ctypes.c_size_t], [ctypes.c_void_p]
    library.sbrk.argtypes = [ctypes.c_ssize_t]
    for _ in range(_MOST_FILLINGS):  # pieces that were set aside for a size turn up the next time
        if _fill(library) < _FILLED_BYTES:
            return


def _fill(library: ctypes.CDLL) -> int:
    figures = library.mallinfo2()
    behind_all = library.sbrk(0) - figures.keepcost
    size, taken = _LARGEST, 0
    while size >= _SMALLEST and taken < figures.fordblks:
        piece = library.malloc(size)
        if piece is None:
            break
        if piece < behind_all:
            taken += size
        else:  # there is no hole of this size any more
            library.free(piece)
            size = size * 9 // 10 if size > 1000 else size - 16
    return taken


def _file_mappings() -> Iterator[tuple[int, int]]:
    """Yield where files are mapped that can only be read, and in which nothing was changed (proc(5))."""
    found: tuple[int, int] | None = None
    try:
        lines = Path("/proc/self/smaps").read_text().splitlines()
    except OSError as error:
        logger.debug("the mappings cannot be read: %s", error)
        return
    for line in lines:
        mapping = _MAPPING.match(line)
        if mapping or not line[0].isupper():  # the line that a mapping begins with; its figures follow
            is_file = mapping is not None and mapping[4] != "0"
            found = (int(mapping[1], 16), int(mapping[2], 16)) if mapping and is_file else None
        elif found and (anonymous := _ANONYMOUS.match(line)) and anonymous[1] == "0":
            yield found
