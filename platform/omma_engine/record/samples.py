"""Pictures as MP4 holds them: units with their lengths in front (ISO/IEC 14496-15), AV1 undelimited."""

from collections.abc import Sequence

from omma_engine.sources.nal import is_annex_b_codec

_START = b"\x00\x00\x01"
_START_BYTES = 4
_AV1_DELIMITER = b"\x12\x00"

Pieces = tuple[bytes | memoryview, ...]


def sample_pieces(codec: str, data: bytes, starts: Sequence[int] = ()) -> Pieces:
    """Return a picture in pieces, none of them copied; none at all where there is nothing in it.

    `starts` are the places of its start codes, each of four bytes; without them they are looked for.
    """
    if starts:
        return _between(data, starts)
    if is_annex_b_codec(codec):
        return _with_lengths(data)
    return (data.removeprefix(_AV1_DELIMITER),) if codec == "av1" else (data,)


def _between(data: bytes, starts: Sequence[int]) -> Pieces:
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    for start, end in zip(starts, (*starts[1:], len(data)), strict=True):
        begin = start + _START_BYTES
        while end > begin and not data[end - 1]:
            end -= 1  # trailing zeros
        if end > begin:
            pieces += ((end - begin).to_bytes(4, "big"), view[begin:end])
    return tuple(pieces)


def _with_lengths(data: bytes) -> Pieces:
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    start = data.find(_START)
    while start >= 0:
        start += 3
        following = data.find(_START, start)
        end = following if following >= 0 else len(data)
        while end > start and not data[end - 1]:
            end -= 1  # a fourth byte of the next start code, or trailing zeros
        if end > start:
            pieces += ((end - start).to_bytes(4, "big"), view[start:end])
        start = following
    return tuple(pieces)
