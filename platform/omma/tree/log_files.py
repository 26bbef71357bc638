"""A member's log: it writes the file itself, so that nobody can block it; the tree shows the warnings."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

MAX_BYTES = 20 * 1024 * 1024
MAX_LINES_A_LOOK = 25
_RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ (?P<level>[A-Z]) ")


class LogFile:
    """Appends for the member, and follows what it wrote."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch(mode=0o600)
        self._position = path.stat().st_size
        self._is_shown = False

    def warnings(self) -> Iterator[str]:
        """Yield the new lines that a person should see: warnings and worse, and what belongs to them."""
        shown = 0
        for line in self._new_lines():
            record = _RECORD.match(line)
            if record:
                self._is_shown = record["level"] in "WEC"
            if not record and not self._is_shown:
                continue
            if self._is_shown:
                shown += 1
                if shown <= MAX_LINES_A_LOOK:
                    yield line
        if shown > MAX_LINES_A_LOOK:
            yield f"… and {shown - MAX_LINES_A_LOOK} lines more, see {self.path}"

    def last_lines(self, count: int) -> list[str]:
        """Return the end of the file."""
        with contextlib.suppress(OSError):
            return self.path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        return []

    def rotate(self) -> None:
        """Keep one older file. The member goes on appending to the same, emptied one.

        Without room for a copy there is none: logs must not fill the disk, nor end Omma.
        """
        if self._size() > MAX_BYTES:
            with contextlib.suppress(OSError):
                shutil.copyfile(self.path, self.path.with_name(f"{self.path.name}.1"))
            with contextlib.suppress(OSError), self.path.open("r+b") as file:
                file.truncate(0)
                self._position = 0

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except OSError:  # somebody tidied up; the member is given a new file when it starts again
            return 0

    def _new_lines(self) -> Iterator[str]:
        size = self._size()
        if size < self._position:  # somebody emptied it
            self._position = 0
        data = b""
        if size > self._position:
            with contextlib.suppress(OSError), self.path.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        whole = data[: data.rfind(b"\n") + 1]  # the rest of a line comes with the next look
        self._position += len(whole)
        yield from whole.decode("utf-8", "replace").splitlines()
