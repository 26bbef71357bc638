"""Preview strips: an hour of a stream as one sprite, made when somebody asks, kept as long as its footage.

Two files below `cache/strips/<stream>`: the sprite, under a name that says how far it goes, and the index
that names it, which appears last. There is no row: a strip that is lost is made again.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from apps.core import jobs
from apps.core.exceptions import InvalidInputError, NotVisibleError
from apps.core.models import Task, TaskState
from apps.core.times import from_us, to_us
from apps.recordings.footage import segments_between, slices_between
from apps.streams.models import Stream

JOB_KIND = "strip"
TILE_S = 10
TILE_WIDTH_PX = 160
HOUR = timedelta(hours=1)
REFRESHED_AFTER = timedelta(minutes=5)  # so much new footage is worth another strip
_STEP_US = REFRESHED_AFTER // timedelta(microseconds=1)
_HOUR_FORMAT = "%Y-%m-%dT%H"


@dataclass(frozen=True, slots=True)
class StripPlace:
    """Where the strip of a stream's hour is."""

    stream_id: UUID
    hour: datetime

    @property
    def folder(self) -> Path:
        return strips_root() / str(self.stream_id)

    @property
    def name(self) -> str:
        return f"{self.hour:{_HOUR_FORMAT}}"

    @property
    def index(self) -> Path:
        return self.folder / f"{self.name}.json"


@dataclass(frozen=True, slots=True)
class StripState:
    """What there is: the index of a strip, or None while it is being made."""

    index: dict[str, Any] | None


def strips_root() -> Path:
    return Path(settings.OMMA_DATA_DIR) / "cache" / "strips"


def hour_named(text: str, now: datetime) -> datetime:
    """Return the hour of an address, such as 2026-01-31T12, in UTC."""
    try:
        hour = datetime.strptime(text, _HOUR_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        hour = None
    if hour is None or f"{hour:{_HOUR_FORMAT}}" != text:
        raise InvalidInputError("Expected an hour of UTC like 2026-01-31T12.", field="hour")
    if hour > now:
        raise InvalidInputError("This hour has not begun yet.", field="hour")
    return hour


def strip_of(stream: Stream, hour: datetime) -> StripState:
    """Return the strip of an hour, and have it made where there is none, or footage that it lacks.

    Raises:
        NotVisibleError: nothing is recorded in this hour, or nothing of it can be shown.
    """
    place = StripPlace(stream.pk, hour)
    end = hour + HOUR
    recorded = segments_between(stream.pk, hour, end).order_by().aggregate(last=Max("end"))["last"]
    if recorded is None:
        forget(place)
        raise NotVisibleError("Nothing is recorded in this hour.")
    until = min(recorded, end)
    known = read_index(place)
    if known is not None and until < from_us(known["until_us"]) + _worth(end):
        return StripState(known)
    task = _ask(stream, place, until)
    if known is None and task.state in {TaskState.FAILED, TaskState.DONE, TaskState.CANCELLED}:
        raise NotVisibleError("Nothing of this hour can be shown.")
    return StripState(known)


def make_strip(place: StripPlace) -> bool:
    """Write the strip of an hour as it is now; tell whether there is one."""
    # Not at the top: OpenCV and FFmpeg would weigh on every process that knows recordings.
    from omma_engine.playback.stills import fitting_size
    from omma_engine.playback.strip import build_strip

    stream = Stream.objects.filter(pk=place.stream_id).first()
    end = place.hour + HOUR
    slices = slices_between(place.stream_id, place.hour, end) if stream is not None else []
    if stream is None or not slices:
        return False
    until_us = min(max(one.start_us + _length_us(one) for one in slices), to_us(end))
    size_wh = fitting_size(slices[0].width, slices[0].height, max_width=TILE_WIDTH_PX)
    strip = build_strip(
        slices, start_us=to_us(place.hour), end_us=until_us, every_us=TILE_S * 1_000_000, size_wh=size_wh
    )
    if strip is None:
        return False
    before = read_index(place)
    index = {
        "start_us": to_us(place.hour),
        "until_us": until_us,
        "sprite": f"{place.name}-{until_us}.jpg",
        "width": strip.size_wh[0],
        "height": strip.size_wh[1],
        "tiles": [[one.start_us, one.end_us, one.x, one.y] for one in strip.tiles],
    }
    _write(place.folder / str(index["sprite"]), strip.jpeg)
    _write(place.index, json.dumps(index).encode())
    if before is not None and before["sprite"] != index["sprite"]:
        (place.folder / before["sprite"]).unlink(missing_ok=True)
    return True


def read_index(place: StripPlace) -> dict[str, Any] | None:
    """Return what is known of a strip whose sprite is there."""
    try:
        index: dict[str, Any] = json.loads(place.index.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return index if (place.folder / index["sprite"]).is_file() else None


def forget(place: StripPlace) -> None:
    """Delete a strip."""
    for path in place.folder.glob(f"{place.name}[.-]*"):
        path.unlink(missing_ok=True)


def _worth(end: datetime) -> timedelta:
    """Return how much footage a strip may lack: an hour that is over is made whole."""
    return REFRESHED_AFTER if timezone.now() < end + REFRESHED_AFTER else timedelta(seconds=1)


def _ask(stream: Stream, place: StripPlace, until: datetime) -> Task:
    # By five minutes: who asks again and again while the job waits asks for the same one.
    key = f"{JOB_KIND}:{stream.pk}:{place.name}:{to_us(until) // _STEP_US}"
    if not place.index.exists():  # it was made, and its file was lost
        Task.objects.filter(unique_key=key, state=TaskState.DONE, result__made=True).delete()
    return jobs.enqueue(
        JOB_KIND,
        key,
        {"stream_id": str(stream.pk), "hour": place.name},
        account_id=stream.account_id,
        camera_id=stream.camera_id,
    )


def _length_us(one: Any) -> int:
    return one.fragments[-1].start_us + one.fragments[-1].duration_us if one.fragments else 0


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_suffix(".part")
    waiting.write_bytes(data)
    waiting.replace(path)


@jobs.handler(JOB_KIND, queue="recording")
def run_job(task: Task) -> dict[str, Any]:
    """Run the job of a strip."""
    hour = datetime.strptime(task.parameters["hour"], _HOUR_FORMAT).replace(tzinfo=UTC)
    return {"made": make_strip(StripPlace(UUID(task.parameters["stream_id"]), hour))}
