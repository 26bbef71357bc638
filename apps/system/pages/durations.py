"""Lengths of time and sizes in words."""

from datetime import timedelta


def duration_words(length: timedelta) -> str:
    """Return a length as people write it.

    >>> duration_words(timedelta(seconds=75))
    '1 min 15 s'
    """
    seconds = int(length.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def percent(fraction: float | None) -> int:
    """Return a fraction as whole percent."""
    return round((fraction or 0.0) * 100)


def schedule_words(schedule: str) -> str:
    """Return a job's schedule in words: seconds, or five cron fields in UTC.

    >>> schedule_words("60"), schedule_words("20 3 * * *"), schedule_words("5 * * * *")
    ('every 1 min', 'daily at 03:20 UTC', 'hourly at :05')
    """
    if schedule.strip().isdigit():
        return f"every {duration_words(timedelta(seconds=int(schedule)))}"
    minute, hour, *rest = schedule.split()
    is_daily = rest == ["*", "*", "*"] and minute.isdigit()
    if is_daily and hour.isdigit():
        return f"daily at {int(hour):02}:{int(minute):02} UTC"
    if is_daily and hour == "*":
        return f"hourly at :{int(minute):02}"
    return schedule
