"""A source's spec as JSON values, as it goes down the control socket."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from omma_engine.errors import ProtocolError
from omma_engine.types import RecordMode, SourceKind, SourceSpec, StreamSpec, VolumeSpec


def encode_spec(spec: SourceSpec) -> dict[str, Any]:
    """Return the spec as JSON values; the address keeps its credentials, so the result is never logged."""
    return {
        "source_id": str(spec.source_id),
        "account_id": str(spec.account_id),
        "camera_id": str(spec.camera_id),
        "kind": spec.kind.value,
        "url": spec.url,
        "numeric_host": spec.numeric_host,
        "options": dict(spec.options),
        "streams": [
            {
                "stream_id": str(stream.stream_id),
                "name": stream.name,
                "mode": stream.mode.value,
                "volume_root": str(stream.volume_root),
                "segment_s": stream.segment_s,
                "fragment_s": stream.fragment_s,
                "volume_id": stream.volume_id,
                "other_volumes": encode_volumes(stream.other_volumes),
            }
            for stream in spec.streams
        ],
    }


def encode_volumes(volumes: Iterable[VolumeSpec]) -> list[dict[str, str]]:
    """Return volumes as JSON values, in their order."""
    return [{"root": str(one.root), "volume_id": one.volume_id} for one in volumes]


def decode_volumes(values: Iterable[Mapping[str, Any]]) -> tuple[VolumeSpec, ...]:
    """Return the volumes that `encode_volumes` made these values of."""
    return tuple(VolumeSpec(Path(each["root"]), str(each["volume_id"])) for each in values)


def decode_spec(values: Mapping[str, Any]) -> SourceSpec:
    """Return the spec that `encode_spec` made these values of; raises `ProtocolError` for anything else."""
    try:
        return SourceSpec(
            source_id=UUID(str(values["source_id"])),
            account_id=UUID(str(values["account_id"])),
            camera_id=UUID(str(values["camera_id"])),
            kind=SourceKind(values["kind"]),
            url=str(values["url"]),
            numeric_host=str(values["numeric_host"]),
            options=dict(values["options"]),
            streams=tuple(_decode_stream(each) for each in values["streams"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProtocolError(f"expected a source spec, got one without a usable {error}") from error


def _decode_stream(values: Mapping[str, Any]) -> StreamSpec:
    return StreamSpec(
        stream_id=UUID(str(values["stream_id"])),
        name=str(values["name"]),
        mode=RecordMode(values["mode"]),
        volume_root=Path(values["volume_root"]),
        segment_s=int(values["segment_s"]),
        fragment_s=float(values["fragment_s"]),
        volume_id=str(values.get("volume_id", "")),
        other_volumes=decode_volumes(values.get("other_volumes", [])),
    )
