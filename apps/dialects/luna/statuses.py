"""Luna's numbers for the life of a stream. Its documents do not say them: the table is a setting."""

from collections.abc import Iterable, Mapping

from django.conf import settings

from apps.streams.life import Life

ORDER = (  # in the order in which the protocol's versions brought them
    Life.PENDING,
    Life.IN_PROGRESS,
    Life.DONE,
    Life.RESTART,
    Life.FAILURE,
    Life.STOP,
    Life.HANDLER_LOST,
    Life.UNKNOWN,
    Life.PAUSED,
)
LAST = len(ORDER) - 1


def status_numbers() -> dict[str, int]:
    """Return each status with its number; `OMMA_LUNA_STATUSES` names those that differ."""
    numbers = {life.value: number for number, life in enumerate(ORDER)}
    return numbers | {name: int(number) for name, number in settings.OMMA_LUNA_STATUSES.items()}


def number_of(status: str) -> int:
    """Return a status's number."""
    numbers = status_numbers()
    return numbers.get(status, numbers[Life.UNKNOWN])


def statuses_numbered(numbers: Iterable[int]) -> list[str]:
    """Return the statuses with these numbers."""
    wanted = set(numbers)
    return [name for name, number in status_numbers().items() if number in wanted]


def problem_in(table: Mapping[str, str]) -> str:
    """Say what is wrong with a table of the setting, or return nothing.

    >>> problem_in({"done": "1", "in_progress": "2"}), problem_in({"gone": "3"})
    ('', "there is no status 'gone'")
    """
    known = {life.value: number for number, life in enumerate(ORDER)}
    unknown = sorted(set(table) - set(known))
    if unknown:
        return f"there is no status {unknown[0]!r}"
    try:
        numbers = known | {name: int(number) for name, number in table.items()}
    except ValueError:
        return "a status's number is 0 to 8"
    if sorted(numbers.values()) != list(range(len(ORDER))):
        return "each number from 0 to 8 belongs to one status"
    return ""
