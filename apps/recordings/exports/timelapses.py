"""Asking for a time-lapse: pictures of one stream from far apart, as a short video."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db import transaction
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, require
from apps.core.exceptions import InvalidInputError
from apps.recordings.exports.services import begin, check_name
from apps.recordings.footage import segments_between
from apps.recordings.models import Export, ExportKind
from apps.streams.models import Stream

JOB_KIND = "timelapse"
MAX_RANGE = timedelta(days=31)
MAX_PICTURES = 18_000  # ten minutes at 30 pictures a second
MIN_EVERY_S, MAX_EVERY_S = 1.0, 86_400.0
MAX_FRAME_RATE = 60
MIN_WIDTH, MAX_WIDTH = 160, 1920


@dataclass(frozen=True, slots=True)
class Pace:
    """A picture every `every_s` of the day, `frame_rate` of them a second, at most `width` wide."""

    every_s: float = 60.0
    frame_rate: int = 25
    width: int = 1280


@transaction.atomic
def create_timelapse(
    *,
    actor: Actor,
    stream: Stream,
    start: datetime,
    end: datetime,
    pace: Pace,
    name: str = "",
    now: datetime | None = None,
) -> Export:
    """Have a time-lapse made of what a stream recorded in `[start, end)`."""
    require(actor, Action.PLAYBACK, Resource(stream.account_id, frozenset({stream.camera_id})))
    check_name(name)
    _check_pace(pace)
    _check_range(start, end, now or timezone.now(), pace)
    if not segments_between(stream.pk, start, end).exists():
        raise InvalidInputError("Nothing is recorded in this range.", field="start")
    export = Export(
        account_id=stream.account_id,
        camera_ids=[str(stream.camera_id)],
        stream_ids=[str(stream.pk)],
        name=name,
        start=start,
        end=end,
        kind=ExportKind.TIMELAPSE,
        every_s=pace.every_s,
        frame_rate=pace.frame_rate,
        width=pace.width,
    )
    begin(actor, export, JOB_KIND)
    return export


def _check_pace(pace: Pace) -> None:
    if not MIN_EVERY_S <= pace.every_s <= MAX_EVERY_S:
        raise InvalidInputError(f"Expected {MIN_EVERY_S:g} to {MAX_EVERY_S:g} seconds.", field="every_s")
    if not 1 <= pace.frame_rate <= MAX_FRAME_RATE:
        raise InvalidInputError(f"Expected 1 to {MAX_FRAME_RATE} pictures a second.", field="frame_rate")
    if not MIN_WIDTH <= pace.width <= MAX_WIDTH:
        raise InvalidInputError(f"Expected {MIN_WIDTH} to {MAX_WIDTH} pixels.", field="width")


def _check_range(start: datetime, end: datetime, now: datetime, pace: Pace) -> None:
    if end <= start:
        raise InvalidInputError("The end must be after the start.", field="end")
    if end - start > MAX_RANGE:
        raise InvalidInputError("A time-lapse can be of 31 days at most.", field="end")
    if end > now:
        raise InvalidInputError("The end must not be in the future.", field="end")
    count = ceil((end - start).total_seconds() / pace.every_s)
    if count > MAX_PICTURES:
        message = f"This would be {count} pictures; a time-lapse can have {MAX_PICTURES} at most."
        raise InvalidInputError(message, field="every_s")
