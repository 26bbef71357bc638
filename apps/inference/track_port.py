"""The port through which a higher app says that it wants to hear of tracks: most of the time nobody does."""

from collections.abc import Callable
from uuid import UUID

from apps.inference.models import Analytic

Wanted = Callable[[UUID, UUID], bool]  # of an account and a camera

_wanted: list[Wanted] = []


def register_wanted(wanted: Wanted) -> None:
    """Say who knows whether tracks of a camera are wanted. In `AppConfig.ready`."""
    _wanted[:] = [wanted]


def is_wanted(analytic: Analytic) -> bool:
    """Tell whether anybody wants to hear of this analytic's tracks."""
    return bool(_wanted) and _wanted[0](analytic.account_id, analytic.camera_id)
