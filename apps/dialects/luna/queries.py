"""What stands after the `?`: read strictly, and what is wrong is named."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.http import QueryDict

from apps.dialects.luna.errors import BAD_QUERY, QUERY_MISSING, LunaCode, LunaError
from apps.dialects.luna.times import read_time

MOST_IN_LIST = 1000
MAX_PAGE_SIZE = 1000
MAX_PAGE = 10_000_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is wanted."""

    number: int
    size: int

    @property
    def rows(self) -> slice:
        return slice((self.number - 1) * self.size, self.number * self.size)


class Query:
    """The parameters of a request. An empty one counts as not given."""

    def __init__(self, values: QueryDict) -> None:
        self._values = values

    def text(self, name: str, *, longest: int = 2083) -> str | None:
        value = self._values.get(name)
        if value is not None and (len(value) > longest or "\x00" in value):
            raise _bad(name, f"expected at most {longest} characters")
        return value or None

    def words(self, name: str, *, longest: int = 256) -> list[str]:
        """Return a comma-separated list; the name may also be repeated."""
        parts = [part.strip() for value in self._values.getlist(name) for part in value.split(",")]
        found = [part for part in parts if part]
        if len(found) > MOST_IN_LIST:
            raise _bad(name, f"expected at most {MOST_IN_LIST} values")
        if any(len(part) > longest or "\x00" in part for part in found):
            raise _bad(name, f"expected values of at most {longest} characters")
        return found

    def uuid(self, name: str) -> UUID | None:
        return self._one(name, UUID, "expected a uuid")

    def required_uuid(self, name: str) -> UUID:
        self.require(name)
        return _read(name, str(self._values[name]), UUID, "expected a uuid")

    def uuids(self, name: str) -> list[UUID]:
        return [_read(name, part, UUID, "expected uuids") for part in self.words(name)]

    def moment(self, name: str) -> datetime | None:
        return self._one(name, read_time, "expected a date-time as in RFC 3339")

    def numbers(self, name: str, low: int, high: int) -> list[int]:
        words = f"expected numbers from {low} to {high}"
        return [_read(name, part, _within(low, high), words) for part in self.words(name)]

    def number(self, name: str, low: int, high: int, *, default: int) -> int:
        found = self._one(name, _within(low, high), f"expected a number from {low} to {high}")
        return default if found is None else found

    def required_number(self, name: str, low: int, high: int) -> int:
        self.require(name)
        return self.number(name, low, high, default=low)

    def choice(self, name: str, allowed: Sequence[str], *, default: str = "") -> str:
        value = self.text(name) or default
        if value and value not in allowed:
            raise _bad(name, f"expected one of {', '.join(allowed)}")
        return value

    def targets(
        self, allowed: Sequence[str], default: Sequence[str], code: LunaCode = BAD_QUERY
    ) -> list[str]:
        """Return which fields of the rows are wanted."""
        wanted = self.words("targets") or list(default)
        unknown = next((name for name in wanted if name not in allowed), None)
        if unknown is not None:
            raise _bad("targets", f"{unknown[:100]!r} is not one of {', '.join(allowed)}", code)
        return wanted

    def page(self) -> Page:
        number = self.number("page", 1, MAX_PAGE, default=1)
        return Page(number, self.number("page_size", 1, MAX_PAGE_SIZE, default=10))

    def require(self, name: str) -> None:
        """Refuse a request without this parameter."""
        if not self._values.get(name):
            raise LunaError(QUERY_MISSING, f"Required query parameter {name!r} not found")

    def _one(self, name: str, read: Callable[[str], T], words: str) -> T | None:
        value = self.text(name)
        return None if value is None else _read(name, value, read, words)


def _read(name: str, text: str, read: Callable[[str], T], words: str) -> T:
    try:
        return read(text)
    except ValueError:
        raise _bad(name, words) from None


def _within(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 18 and low <= int(text) <= high):
            raise ValueError(text)
        return int(text)

    return read


def _bad(name: str, words: str, code: LunaCode = BAD_QUERY) -> LunaError:
    return LunaError(code, f"Query parameter {name!r}: {words}")
