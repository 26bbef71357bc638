"""What cameras made against what is durable: read back from segment rows, their index and their files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from tests.bench.house import House
from tests.farm.farm import CameraHandle
from tests.farm.ledger import LedgerEntry, entries_in


@dataclass(frozen=True, slots=True)
class RecordedStream:
    """A stream in the database, and the farm's camera that it shows."""

    stream_id: UUID
    source_id: UUID
    camera: CameraHandle

    @property
    def process_name(self) -> str:
        """The name that its capture child gives itself."""
        return f"omma {str(self.source_id)[-8:]}"


def streams_of(house: House, cameras: list[CameraHandle]) -> list[RecordedStream]:
    """Return the streams of the house, matched to the farm's cameras by their addresses."""
    rows = house.rows(
        "SELECT stream.id, stream.source_id, camera.address FROM streams_stream stream "
        "JOIN cameras_camera camera ON camera.id = stream.camera_id"
    )
    by_port = {camera.port: camera for camera in cameras}
    return [
        RecordedStream(stream, source, camera)
        for stream, source, address in rows
        for port, camera in by_port.items()
        if f":{port}/" in address
    ]


def durable_entries(house: House, stream: RecordedStream, since: datetime) -> Iterator[LedgerEntry]:
    """Yield what the pictures in durable fragments say of themselves, in segments that began since then."""
    (root,) = house.rows("SELECT root FROM streams_volume WHERE is_default")[0]
    for path, durable_bytes, fragments in house.rows(
        "SELECT path, durable_bytes, fragments FROM streams_segment "
        "WHERE stream_id = %s AND start >= %s ORDER BY start",
        (stream.stream_id, since),
    ):
        with (Path(root) / path).open("rb") as file:
            for _, _, offset, size, _ in fragments:
                assert offset + size <= durable_bytes
                file.seek(offset)
                yield from entries_in(file.read(size))


@dataclass(frozen=True, slots=True)
class Completeness:
    """Of the pictures made between the first recorded one and `until_us`, how many are not durable."""

    expected: int
    lost: int


def completeness(house: House, stream: RecordedStream, since: datetime, until_us: int) -> Completeness:
    """Compare the camera's ledger with the footage; a camera of which nothing is durable has lost all."""
    made = {emitted.sequence for emitted in stream.camera.ledger() if emitted.utc_us <= until_us}
    recorded = {entry.sequence for entry in durable_entries(house, stream, since)}
    expected = {sequence for sequence in made if not recorded or sequence >= min(recorded)}
    return Completeness(len(expected), len(expected - recorded))


def gaps_since(house: House, since: datetime) -> str:
    """Return how many gaps of each cause began since then, in words; planned ones are none."""
    rows = house.rows(
        "SELECT cause, detail, count(*) FROM streams_gap WHERE start >= %s AND cause <> 'planned' "
        "GROUP BY cause, detail ORDER BY 3 DESC",
        (since,),
    )
    return "; ".join(f"{count} x {cause} ({detail})" for cause, detail, count in rows)
