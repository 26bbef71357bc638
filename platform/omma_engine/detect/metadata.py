"""What a model file says about itself: its metadata, as Ultralytics writes them."""

import ast
from collections.abc import Mapping, Sequence

from omma_engine.detect.spec import ModelTask
from omma_engine.errors import ModelLayoutError

MAX_CLASSES = 10_000
MAX_LABEL_LENGTH = 64
MAX_KEYPOINTS = 200
_TASKS = {task.value: task for task in ModelTask if task is not ModelTask.MOTION}


def shown_task(metadata: Mapping[str, str]) -> ModelTask | None:
    """Return the task that the metadata name, or None where they name none."""
    task = metadata.get("task")
    if task is None:
        return None
    if task not in _TASKS:
        raise ModelLayoutError(f"metadata task: expected one of {', '.join(_TASKS)}, got {task[:60]!r}")
    return _TASKS[task]


def labels_in(metadata: Mapping[str, str], given: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the classes: the file's own, else those that were given, else none."""
    if "names" not in metadata:
        return checked_labels(given) if given else ()
    names = _literal(metadata, "names")
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names or len(names) > MAX_CLASSES:
        raise ModelLayoutError("metadata names: expected a dict of class numbers and names")
    if not all(isinstance(number, int) for number in names) or sorted(names) != list(range(len(names))):
        raise ModelLayoutError(f"metadata names: expected the numbers 0 to {len(names) - 1}, each once")
    return checked_labels([str(names[index]) for index in range(len(names))])


def checked_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels that can be shown and stored."""
    if len(labels) > MAX_CLASSES or any(
        not label or len(label) > MAX_LABEL_LENGTH or not label.isprintable() for label in labels
    ):
        raise ModelLayoutError(
            f"metadata names: expected printable names of at most {MAX_LABEL_LENGTH} characters"
        )
    return tuple(labels)


def size_in(metadata: Mapping[str, str]) -> tuple[int, int]:
    """Return `(height, width)` from `imgsz`."""
    value = _literal(metadata, "imgsz")
    sides = [value, value] if isinstance(value, int) else value
    if not isinstance(sides, list | tuple) or len(sides) != 2 or not all(type(side) is int for side in sides):
        raise ModelLayoutError("metadata imgsz: expected [height, width], as the input's size is free")
    return sides[0], sides[1]


def keypoint_shape(metadata: Mapping[str, str]) -> tuple[int, int]:
    """Return `(K, D)` from `kpt_shape`, D being 2 or 3 (x, y, and how sure); zeros where there is none."""
    if "kpt_shape" not in metadata:
        return 0, 0
    value = _literal(metadata, "kpt_shape")
    if (
        not isinstance(value, list | tuple)
        or len(value) != 2
        or not all(type(side) is int for side in value)
        or not (1 <= value[0] <= MAX_KEYPOINTS and value[1] in (2, 3))
    ):
        raise ModelLayoutError("metadata kpt_shape: expected [points, 2 or 3]")
    return value[0], value[1]


def _literal(metadata: Mapping[str, str], key: str) -> object:
    try:
        return ast.literal_eval(metadata[key])
    except KeyError:
        raise ModelLayoutError(f"metadata {key}: expected it, and it is absent") from None
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ModelLayoutError(f"metadata {key}: cannot be read as a Python literal") from None
