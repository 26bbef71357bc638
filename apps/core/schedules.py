"""When a periodic job is due. A schedule is a number of seconds, or five cron fields in UTC."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from apps.core.exceptions import InvalidInputError

LONGEST_CRON_GAP_DAYS = 366 * 8  # the 29th of February across a century


@dataclass(frozen=True, slots=True)
class CronFields:
    """When a cron schedule is due; days of the week count from Sunday, 0."""

    minute: frozenset[int]
    hour: frozenset[int]
    day_of_month: frozenset[int]
    month_of_year: frozenset[int]
    day_of_week: frozenset[int]


def latest_slot(schedule: str, now: datetime) -> datetime:
    """Return the newest moment at or before `now` at which the job was due."""
    if schedule.strip().isdigit():
        seconds = int(schedule)
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)
    return _latest_cron_slot(_parse_cron(schedule), now.astimezone(UTC))


def check_schedule(schedule: str) -> None:
    """Raise `InvalidInputError` for what is no schedule."""
    if schedule.strip().isdigit():
        if int(schedule) < 1:
            raise InvalidInputError(f"Expected at least 1 second, got {schedule!r}.", field="schedule")
        return
    _latest_cron_slot(_parse_cron(schedule), datetime.now(UTC))


def _parse_cron(schedule: str) -> CronFields:
    from celery.schedules import ParseException, crontab  # not at the top: few processes ask what is due

    parts = schedule.split()
    if len(parts) != 5:
        raise InvalidInputError(
            f"Expected a number of seconds or five cron fields, got {schedule!r}.", field="schedule"
        )
    minute, hour, day_of_month, month_of_year, day_of_week = parts
    try:
        parsed = vars(crontab(minute, hour, day_of_week, day_of_month, month_of_year))
    except (ParseException, ValueError) as error:
        raise InvalidInputError(f"{schedule!r} is not a cron schedule: {error}.", field="schedule") from error
    return CronFields(**{field.name: frozenset(parsed[field.name]) for field in fields(CronFields)})


def _latest_cron_slot(cron: CronFields, now: datetime) -> datetime:
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for days_back in range(LONGEST_CRON_GAP_DAYS):
        slot = _latest_slot_on(cron, day - timedelta(days=days_back), now)
        if slot is not None:
            return slot
    raise InvalidInputError("This cron schedule never comes due.", field="schedule")


def _latest_slot_on(cron: CronFields, day: datetime, now: datetime) -> datetime | None:
    is_day = (
        day.month in cron.month_of_year
        and day.day in cron.day_of_month
        and day.isoweekday() % 7 in cron.day_of_week
    )
    if not is_day:
        return None
    slots = (
        day.replace(hour=hour, minute=minute)
        for hour in sorted(cron.hour, reverse=True)
        for minute in sorted(cron.minute, reverse=True)
    )
    return next((slot for slot in slots if slot <= now), None)
