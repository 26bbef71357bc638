"""SpectraX's file names. They are made up for each recording: its number counts, the rest is for people."""

import re
from dataclasses import dataclass

from apps.dialects.spectrax.cameras import name_in
from apps.dialects.spectrax.times import zone
from apps.recordings.models import Recording

_NAME = re.compile(
    r"[a-z0-9_-]+_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d_(?P<number>\d{1,9})(?P<kind>\.mp4|_thumb\.jpg)", re.ASCII
)


@dataclass(frozen=True, slots=True)
class FileName:
    """What a file name asks for."""

    number: int
    is_thumbnail: bool


def video_name(recording: Recording, camera_path: str) -> str:
    """Return `front-door_2025-10-12_19-05-30_42.mp4`."""
    start = recording.start.astimezone(zone())
    return f"{name_in(camera_path)}_{start:%Y-%m-%d_%H-%M-%S}_{recording.number}.mp4"


def thumbnail_name(video: str) -> str:
    """Return the name of a video's picture."""
    return f"{video.removesuffix('.mp4')}_thumb.jpg"


def read_file_name(name: str) -> FileName | None:
    """Return what a name asks for; None for one that was not made here.

    >>> read_file_name("front-door_2025-10-12_19-05-30_42_thumb.jpg")
    FileName(number=42, is_thumbnail=True)
    """
    match = _NAME.fullmatch(name)
    return FileName(int(match["number"]), match["kind"] != ".mp4") if match else None
