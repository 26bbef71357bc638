"""Video files that streams are read from, fetched once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from apps.core.exceptions import UnavailableError
from apps.dialects.luna.bodies import invalid
from apps.dialects.luna.kept_files import folder
from apps.dialects.luna.wording import naming
from apps.recordings.videos.fetching import fetch

LONGEST_S = 60.0


def fetched(address: str, data: Mapping[str, Any]) -> Path:
    """Fetch a video and return its file; the client may say for how long to try, in milliseconds."""
    path = folder() / f"{uuid4()}.video"
    limit_s = min(float(data.get("timeout") or LONGEST_S * 1000) / 1000, LONGEST_S)
    try:
        with naming({"address": "data.reference"}):
            fetch(address, path, report=_say_nothing, limit_s=limit_s)
    except UnavailableError as error:
        raise invalid("data.reference", error.message) from error
    return path


def _say_nothing(share: float) -> None:
    """Nobody watches: the request waits."""
