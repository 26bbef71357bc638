"""Lengths and schedules as people write them, and moments as a field of the page holds them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from apps.system.pages.durations import duration_words, schedule_words
from apps.system.pages.moments import MomentInput


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (60, "1 min"), (75, "1 min 15 s"), (3600, "1 h"), (7_260, "2 h 1 min")],
)
def test_lengths_are_told_in_their_two_largest_units(seconds: float, words: str) -> None:
    assert duration_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("60", "every 1 min"),
        ("20 3 * * *", "daily at 03:20 UTC"),
        ("5 * * * *", "hourly at :05"),
        ("0 4 * * 1", "0 4 * * 1"),
    ],
)
def test_schedules_are_told_in_words_where_there_are_some(schedule: str, words: str) -> None:
    assert schedule_words(schedule) == words


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (datetime(2026, 1, 15, 12, 5, tzinfo=UTC), "2026-01-15T12:05"),
        (datetime(2026, 1, 15, 12, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-15T10:05"),
        ("2026-01-15T12:05:00.000Z", "2026-01-15T12:05"),
        ("2026-01-15T12:05", "2026-01-15T12:05"),
        ("yesterday", None),
        ("2026-99-15T12:05", None),
        (None, None),
    ],
)
def test_a_moment_is_shown_in_utc(value: object, shown: str | None) -> None:
    assert MomentInput().format_value(value) == shown
