"""The port through which a higher app says how far around an event it may want footage."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from apps.streams.models import Stream

SecondsWanted = Callable[[Sequence[Stream]], Mapping[UUID, float]]

_providers: list[SecondsWanted] = []


def register(provider: SecondsWanted) -> None:
    """Say who knows; in `AppConfig.ready`."""
    _providers[:] = [provider]


def seconds_wanted(streams: Sequence[Stream]) -> dict[UUID, float]:
    """Return how many seconds around an event may be wanted of each stream: its own rolls, or more."""
    own = {stream.pk: float(stream.pre_roll_s + stream.post_roll_s) for stream in streams}
    asked = _providers[0](streams) if _providers else {}
    return {stream_id: max(seconds, asked.get(stream_id, 0.0)) for stream_id, seconds in own.items()}
