"""What should be captured: rows become claimables, and claimables become specs for children."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from apps.cameras.logins import open_login, url_with_login, whole_address
from apps.core.egress import check_camera_address
from apps.core.exceptions import (
    ForbiddenAddressError,
    InvalidAddressError,
    OmmaError,
    SecretsError,
)
from apps.streams.coverage import recorded_until
from apps.streams.models import Source, Volume
from apps.streams.volume_choice import recording_order, volumes_of_host
from omma_engine.errors import (
    SourceError,
    SourceForbiddenError,
    SourceNotFoundError,
    SourceUnreachableError,
    SourceUnsupportedError,
)
from omma_engine.ports import Claimable, Lease
from omma_engine.supervise.capture_salvage import Place
from omma_engine.types import RecordMode, SourceKind, SourceSpec, StreamSpec, VolumeSpec

logger = logging.getLogger(__name__)

SEGMENT_S = 60
_NETWORK_KINDS = {SourceKind.RTSP, SourceKind.HLS, SourceKind.MJPEG}


@dataclass(frozen=True, slots=True)
class StreamRow:
    """One stream of a source, as its row says."""

    stream_id: UUID
    name: str
    mode: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """Everything that a child's spec is made of, still sealed and unchecked."""

    source_id: UUID
    account_id: UUID
    camera_id: UUID
    driver: str
    address: str
    trusted_origin: str
    options: dict[str, object]
    streams: tuple[StreamRow, ...]
    volumes: tuple[VolumeSpec, ...]  # the wanted one first
    restart_serial: int
    is_single_session: bool = False
    secret: bytes | None = field(default=None, repr=False)

    def fingerprint(self) -> str:
        """Return what a restart is needed for when it changes: everything but modes and volumes."""
        parts = [
            self.driver,
            self.address,
            self.trusted_origin,
            self.options,
            [[str(stream.stream_id), stream.name] for stream in self.streams],
            self.restart_serial,
            self.is_single_session,
            (self.secret or b"").hex(),
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


class WantedSources:
    """Reads what should be captured, and remembers where each source is written."""

    def __init__(self, host: str, labels: dict[str, str] | None = None) -> None:
        """`host` names this machine: its volume is written to; `labels` are what this worker can do."""
        self._host = host
        self._labels = labels or {}
        self._places: dict[UUID, list[Place]] = {}
        self._latest: dict[UUID, UUID] = {}
        self._until_us: dict[UUID, int] = {}

    def desired(self) -> Sequence[Claimable]:
        """Return all sources that should run; raises `ConnectionError` when the database is away."""
        try:
            rows = self._rows()
        except (OperationalError, InterfaceError) as error:
            connection.close()
            raise ConnectionError(str(error).strip()) from error
        for row in rows:
            self._places[row.source_id] = [
                Place(volume.root, one.stream_id) for volume in row.volumes for one in row.streams
            ]
        return [
            Claimable(row.source_id, row.fingerprint(), row, is_exclusive=row.is_single_session)
            for row in rows
        ]

    def places(self, source_id: UUID) -> list[Place]:
        """Return where a source's streams are or were written, as last read."""
        return self._places.get(source_id, [])

    def note_claims(self, leases: Sequence[Lease]) -> None:
        """Note up to when there is footage of what was claimed: nothing new is recorded under that time."""
        try:
            self._until_us.update(recorded_until([lease.object_id for lease in leases], timezone.now()))
        except (OperationalError, InterfaceError) as error:
            connection.close()
            logger.warning("claimed without a look at what is recorded: %s", str(error).strip())

    def recorded_until(self, source_id: UUID) -> int:
        """Return up to when there was footage of a source when it was claimed, 0 where that is not known."""
        return self._until_us.get(source_id, 0)

    def _rows(self) -> list[SourceRow]:
        volumes = volumes_of_host(self._host, Volume.objects.order_by("id"))
        if not recording_order(volumes):
            return []
        sources = (
            Source.objects.filter(is_wanted=True, camera__is_enabled=True, account__is_active=True)
            .select_related("camera")
            .prefetch_related("streams")
            .order_by("id")
        )
        return [
            _row_of(source, self._volumes_for(source, volumes))
            for source in sources
            if fits(labels_of(source), self._labels)
        ]

    def _volumes_for(self, source: Source, volumes: Sequence[Volume]) -> tuple[VolumeSpec, ...]:
        wanted = next((stream.volume_id for stream in source.streams.all() if stream.volume_id), None)
        order = recording_order(volumes, wanted=wanted, latest=self._latest.get(source.id))
        self._latest[source.id] = order[0].id
        return tuple(VolumeSpec(Path(volume.root), str(volume.id)) for volume in order)


def labels_of(source: Source) -> dict[str, str]:
    """Return the labels that a source asks of its worker: its camera's, and its own."""
    asked: dict[str, str] = {**source.camera.options.get("labels", {}), **source.labels}
    return asked


def fits(asked: Mapping[str, str], offered: Mapping[str, str]) -> bool:
    """Tell whether a worker with the labels `offered` takes a source that asks for `asked`.

    A worker without labels takes what asks for none; one with labels is reserved for what asks for some of
    them, and for no others.

    >>> fits({}, {}), fits({"site": "north"}, {"site": "north", "gpu": "0"})
    (True, True)
    >>> fits({}, {"site": "north"}), fits({"site": "north"}, {}), fits({"site": "south"}, {"site": "north"})
    (False, False, False)
    """
    return bool(asked) == bool(offered) and asked.items() <= offered.items()


def modes_of(item: Claimable) -> list[tuple[str, str]]:
    """Return each stream's id and record mode."""
    row: SourceRow = item.spec
    return [(str(stream.stream_id), stream.mode) for stream in row.streams]


def volumes_of(item: Claimable) -> tuple[VolumeSpec, ...]:
    """Return where the source's streams go, the wanted volume first."""
    row: SourceRow = item.spec
    return row.volumes


def make_spec(item: Claimable) -> SourceSpec:
    """Open the secret and check the address, as children need it. Raises `SourceError`s with safe words."""
    row: SourceRow = item.spec
    try:
        address = whole_address(row.address, row.secret)
        checked = check_camera_address(address, row.trusted_origin, driver=row.driver)
        username, password = open_login(row.secret)
    except ForbiddenAddressError as error:
        raise SourceForbiddenError(error.message) from error
    except InvalidAddressError as error:
        raise _source_error(error) from error
    except SecretsError as error:
        raise SourceError(error.message) from error
    kind = SourceKind(row.driver)
    return SourceSpec(
        source_id=row.source_id,
        account_id=row.account_id,
        camera_id=row.camera_id,
        kind=kind,
        url=url_with_login(checked.url, username, password) if kind in _NETWORK_KINDS else checked.url,
        numeric_host=checked.numeric_host,
        options={**row.options, "single_session": True} if row.is_single_session else row.options,
        streams=tuple(
            StreamSpec(
                stream_id=stream.stream_id,
                name=stream.name,
                mode=RecordMode(stream.mode),
                volume_root=row.volumes[0].root,
                segment_s=SEGMENT_S,
                volume_id=row.volumes[0].volume_id,
                other_volumes=row.volumes[1:],
            )
            for stream in row.streams
        ),
    )


def _source_error(error: OmmaError) -> SourceError:
    match error.error_code:
        case "address_unresolved":
            return SourceUnreachableError(error.message)
        case "address_not_found":
            return SourceNotFoundError(error.message)
        case _:
            return SourceUnsupportedError(error.message)


def _row_of(source: Source, volumes: tuple[VolumeSpec, ...]) -> SourceRow:
    camera = source.camera
    options = {**camera.options, **source.options}
    options.pop("labels", None)  # where it runs is no reason to restart it
    is_single_session = bool(options.pop("single_session", camera.driver == SourceKind.V4L2))
    return SourceRow(
        source_id=source.id,
        account_id=source.account_id,
        camera_id=source.camera_id,
        driver=camera.driver,
        address=source.address or camera.address,
        trusted_origin=camera.trusted_origin,
        options=options,
        streams=tuple(
            StreamRow(stream.id, stream.name, stream.mode)
            for stream in sorted(source.streams.all(), key=lambda one: one.created_at)
        ),
        volumes=volumes,
        restart_serial=source.restart_serial,
        is_single_session=is_single_session,
        secret=bytes(camera.secret) if camera.secret else None,
    )
