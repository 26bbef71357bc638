"""Parameter sets of H.264 and H.265, so that footage whose encoder was restarted joins into one track."""

import struct

_SUPPORTED_LENGTH_BYTES = 4


def parameter_sets(codec: str, extradata: bytes) -> bytes | None:
    """Return the parameter sets of an `avcC` or `hvcC` record, with 4-byte lengths, as keyframes carry them.

    None when the codec has none or the record is of another shape (ISO/IEC 14496-15, 5.3.3 and 8.3.3).
    """
    try:
        if codec == "h264":
            units, length_bytes = _from_avcc(extradata)
        elif codec == "hevc":
            units, length_bytes = _from_hvcc(extradata)
        else:
            return None
    except (IndexError, struct.error):
        return None
    if length_bytes != _SUPPORTED_LENGTH_BYTES or not units:
        return None
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


def _from_avcc(record: bytes) -> tuple[list[bytes], int]:
    if record[0] != 1:
        return [], 0
    units, position = _units(record, 6, record[5] & 0x1F)
    pictures, _ = _units(record, position + 1, record[position])
    return units + pictures, (record[4] & 0x03) + 1


def _from_hvcc(record: bytes) -> tuple[list[bytes], int]:
    if record[0] != 1:
        return [], 0
    units: list[bytes] = []
    position = 23
    for _ in range(record[22]):
        (count,) = struct.unpack_from(">H", record, position + 1)
        found, position = _units(record, position + 3, count)
        units += found
    return units, (record[21] & 0x03) + 1


def _units(record: bytes, position: int, count: int) -> tuple[list[bytes], int]:
    units = []
    for _ in range(count):
        (length,) = struct.unpack_from(">H", record, position)
        units.append(record[position + 2 : position + 2 + length])
        position += 2 + length
    return units, position
