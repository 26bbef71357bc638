"""SpectraX's camera paths, `video/front-door`: a word made of each camera's name."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.utils.text import slugify

from apps.accounts.access import Action, visible
from apps.cameras.models import Camera
from apps.core.exceptions import NotVisibleError
from apps.dialects.boxes import Box
from apps.streams.models import Stream

PREFIX = "video/"


def camera_paths(box: Box) -> dict[UUID, str]:
    """Return the path of each camera that has a stream and may be seen, in the order of their numbers.

    Only what may be seen takes part, so that nobody can tell from a path that another name is taken.
    """
    rows = Camera.objects.filter(Exists(Stream.objects.filter(camera=OuterRef("pk"))), account=box.account)
    rows = visible(box.actor, Action.VIEW, rows, camera_path="id").order_by("number")
    return paths_of(rows.values_list("id", "number", "name"))


def paths_of(cameras: Iterable[tuple[UUID, int, str]]) -> dict[UUID, str]:
    """Return a path for each (id, number, name); who comes later with a taken name gets its number added."""
    paths: dict[UUID, str] = {}
    taken: set[str] = set()
    for camera_id, number, name in cameras:
        word = slugify(name) or f"camera-{number}"
        while word in taken:
            word = f"{word}-{number}"
        taken.add(word)
        paths[camera_id] = PREFIX + word
    return paths


def name_in(path: str) -> str:
    """Return the camera's name as SpectraX has it, the path's last word."""
    return path.removeprefix(PREFIX)


def stream_at(box: Box, path: str) -> UUID:
    """Return the stream that a path shows, the camera's main one; without a path the first camera's."""
    paths = camera_paths(box)
    camera_id = _camera_at(paths, path) if path else next(iter(paths), None)
    if camera_id is None:
        raise NotVisibleError("There is no camera" if not path else f"Camera path {path[:200]} not found")
    streams = {row.name: row.pk for row in Stream.objects.filter(camera_id=camera_id).order_by("-created_at")}
    return streams.get("main") or list(streams.values())[-1]


def _camera_at(paths: Mapping[UUID, str], path: str) -> UUID | None:
    return next((camera_id for camera_id, known in paths.items() if known == path), None)
