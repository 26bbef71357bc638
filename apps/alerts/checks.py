"""What makes a target's values good; each refusal names its field."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from apps.accounts.models import Account
from apps.alerts.messages import format_names
from apps.alerts.models import NoticeKind
from apps.cameras.models import Camera
from apps.core.exceptions import InvalidInputError

MAX_NAME_LENGTH = 120
MAX_PER_MINUTE = 6000
MAX_DIGEST_S = 86_400
MAX_LATE_S = 86_400
MAX_OPTIONS_BYTES = 16_384
WANTABLE = (NoticeKind.EVENT, NoticeKind.TRACK, NoticeKind.ANALYTIC_RESULT, NoticeKind.STREAM_STATUS)


def checked_name(value: object) -> str:
    """Return a name without spaces around it."""
    name = value.strip() if isinstance(value, str) else ""
    if not name or len(name) > MAX_NAME_LENGTH or "\0" in name:
        raise InvalidInputError(f"Expected a name of 1 to {MAX_NAME_LENGTH} characters.", field="name")
    return name


def checked_wants(value: object) -> list[str]:
    """Return the kinds of news that a target wants, each once."""
    known = [kind.value for kind in WANTABLE]
    if not isinstance(value, list | tuple) or not all(one in known for one in value):
        raise InvalidInputError(f"Expected a list of {', '.join(known)}.", field="wants")
    return [kind for kind in known if kind in value]


def checked_format(value: object) -> str:
    """Return the name of a format."""
    if value not in format_names():
        raise InvalidInputError(f"Expected one of {', '.join(format_names())}.", field="format")
    return str(value)


def checked_cameras(value: Iterable[Camera], account: Account, *, all_cameras: bool) -> list[Camera]:
    """Return the account's cameras that a target is about: none where it is about all of them."""
    cameras = sorted(set(value), key=lambda camera: camera.pk)
    if any(camera.account_id != account.pk for camera in cameras):
        raise InvalidInputError("There is no such camera.", field="cameras")
    if all_cameras:
        return []
    if not cameras:
        raise InvalidInputError("Choose at least one camera, or all of them.", field="cameras")
    return cameras


def checked_texts(value: object, field: str) -> dict[str, str]:
    """Return an object of texts."""
    is_good = isinstance(value, Mapping) and all(
        isinstance(name, str) and isinstance(text, str) for name, text in value.items()
    )
    if not is_good:
        raise InvalidInputError("Expected an object of texts.", field=field)
    return dict(value)  # type: ignore[call-overload,no-any-return]  # asked above


def checked_options(value: object) -> dict[str, Any]:
    """Return the options of a format: JSON of a bounded size."""
    if not isinstance(value, Mapping) or len(json.dumps(value)) > MAX_OPTIONS_BYTES:
        raise InvalidInputError("Expected a small object.", field="format_options")
    return dict(value)


def _whole(field: str, least: int, most: int) -> Callable[[object], int]:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise InvalidInputError(f"Expected {least} to {most}.", field=field)
        return value

    return check


CHECKS: Mapping[str, Callable[[Any], object]] = {
    "name": checked_name,
    "is_enabled": bool,
    "format": checked_format,
    "wants": checked_wants,
    "per_minute": _whole("per_minute", 1, MAX_PER_MINUTE),
    "digest_s": _whole("digest_s", 1, MAX_DIGEST_S),
    "late_s": _whole("late_s", 1, MAX_LATE_S),
}
