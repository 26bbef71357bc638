"""Pictures as MP4 holds them: units with their lengths in front (ISO/IEC 14496-15), AV1 undelimited."""

from omma_engine.sources.nal import is_annex_b_codec

_START = b"\x00\x00\x01"
_AV1_DELIMITER = b"\x12\x00"

Pieces = tuple[bytes | memoryview, ...]


def sample_pieces(codec: str, data: bytes) -> Pieces:
    """Return a picture in pieces, none of them copied; none at all where there is nothing in it."""
    if is_annex_b_codec(codec):
        return _with_lengths(data)
    return (data.removeprefix(_AV1_DELIMITER),) if codec == "av1" else (data,)


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
