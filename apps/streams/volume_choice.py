"""Which volume a stream goes to: pure decisions over rows."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.streams.models import Volume, VolumeState, VolumeTier

_ORDER = {
    VolumeState.READY: 0,
    VolumeState.FULL: 1,  # retention may make room any moment
    VolumeState.FAILING: 2,
    VolumeState.READ_ONLY: 3,
    VolumeState.MISSING: 4,
    VolumeState.FOREIGN: 5,
}
_MUCH_MORE_ROOM = 1.25  # what another volume must have for footage to move there


def volumes_of_host(host: str, volumes: Iterable[Volume]) -> list[Volume]:
    """Return the volumes of a machine: its own, or those of nobody in particular where it has none."""
    rows = list(volumes)
    own = [volume for volume in rows if volume.node_name and volume.node_name == host]
    return own or [volume for volume in rows if not volume.node_name]


def recording_order(
    volumes: Iterable[Volume], *, wanted: UUID | None = None, latest: UUID | None = None
) -> list[Volume]:
    """Return the volumes that a stream may be recorded to, the best first.

    A ready one before all others; among those the wanted one, else the one with the most room. `latest`
    stays first unless another has much more, so that footage does not go back and forth.
    """
    rows = [volume for volume in volumes if volume.tier == VolumeTier.RECORDING]
    most = max((room_of(one) for one in rows if one.state == VolumeState.READY), default=0)

    def key(volume: Volume) -> tuple[int, bool, bool, int, UUID]:
        stays = volume.id == latest and room_of(volume) * _MUCH_MORE_ROOM >= most
        rank = _ORDER[VolumeState(volume.state)]
        return (rank, volume.id != wanted, not stays, -room_of(volume), volume.id)

    return sorted(rows, key=key)


def archive_order(volumes: Iterable[Volume], size_bytes: int) -> list[Volume]:
    """Return the volumes of the archive tier that take a file of this size, the best first."""
    rows = [one for one in volumes if one.tier == VolumeTier.ARCHIVE and one.state == VolumeState.READY]
    return sorted((one for one in rows if room_of(one) > size_bytes), key=lambda one: (-room_of(one), one.id))


def room_of(volume: Volume) -> int:
    """Return how many bytes a volume takes as last looked at, before it counts as full."""
    free = (1 << 62) if volume.free_bytes is None else volume.free_bytes - volume.min_free_bytes
    left = (1 << 62) if volume.max_bytes is None else volume.max_bytes - volume.used_bytes
    return max(0, min(free, left))


def ids_of(volumes: Sequence[Volume]) -> list[UUID]:
    """Return the volumes' ids, in their order."""
    return [volume.id for volume in volumes]
