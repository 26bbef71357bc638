"""The ledger: every picture that a camera makes says who made it, which one it is and when.

It is written twice, as SEI user data beside the picture, which survives copying, and as a pixel code inside
the picture, which survives re-encoding. Here both are read back from packets, files and addresses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from omma_engine.sources.pixel_code import PixelCode, read_code
from tests.farm.nal import VideoCodec, user_data_nal

_IDENTITY = b"omma-farm-ledger"  # 16 bytes, the uuid_iso_iec_11578 of the SEI message
_ENTRY = re.compile(_IDENTITY + rb"(\d+):(\d+):(\d+);")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """What one picture says of itself."""

    stream_id: int
    sequence: int
    utc_us: int


@dataclass(frozen=True, slots=True)
class Emitted:
    """One picture as the camera made it; `deliveries` counts the sessions that it was handed to whole."""

    sequence: int
    utc_us: int
    is_keyframe: bool
    rtp_time: int
    deliveries: int


def entry_nal(codec: VideoCodec, entry: LedgerEntry) -> bytes:
    """Return the SEI NAL unit that carries `entry`."""
    text = f"{entry.stream_id}:{entry.sequence}:{entry.utc_us};".encode()
    return user_data_nal(codec, _IDENTITY, text)


def entry_of_packet(data: bytes) -> LedgerEntry | None:
    """Return the entry in an encoded picture (Annex B or length-prefixed), or None."""
    match = _ENTRY.search(data)
    return None if match is None else LedgerEntry(*(int(group) for group in match.groups()))


def entries_in(data: bytes) -> Iterator[LedgerEntry]:
    """Yield the entries of all pictures in a stretch of encoded video, in its order."""
    for match in _ENTRY.finditer(data):
        yield LedgerEntry(*(int(group) for group in match.groups()))


def entries_of_file(path: Path | str) -> list[LedgerEntry]:
    """Return the entries of a file's packets, in file order, without decoding."""
    with av.open(str(path), timeout=(5.0, 5.0)) as container:
        found = (entry_of_packet(bytes(packet)) for packet in container.demux(video=0))
        return [entry for entry in found if entry is not None]


def codes_of_file(path: Path | str) -> Iterator[PixelCode | None]:
    """Yield the pixel code of each picture, decoded, in display order; None where it cannot be read."""
    with av.open(str(path), timeout=(5.0, 5.0)) as container:
        for frame in container.decode(video=0):
            yield code_of_frame(frame)


def code_of_frame(frame: av.VideoFrame) -> PixelCode | None:
    """Return the pixel code in a decoded frame, or None."""
    if frame.format.name not in {"yuv420p", "yuvj420p", "gray"}:
        frame = frame.reformat(format="gray")
    plane = frame.planes[0]
    luma = np.frombuffer(memoryview(plane), dtype=np.uint8).reshape(-1, plane.line_size)[
        : frame.height, : frame.width
    ]
    return read_code(luma)
