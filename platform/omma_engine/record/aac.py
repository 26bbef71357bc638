"""AAC as files want it: bare access units, and what the stream says about itself.

Sources: ISO/IEC 14496-3:2019, 1.6.2.1 (AudioSpecificConfig) and 1.A.2.2 (ADTS).
"""

LOW_COMPLEXITY = 2
_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_ADTS_HEADER = 7
_ADTS_HEADER_WITH_CRC = 9


def object_type(specific_config: bytes) -> int | None:
    """Return the audio object type of an AudioSpecificConfig (2 is AAC-LC); None where it is too short."""
    return specific_config[0] >> 3 if len(specific_config) >= 2 else None


def is_adts(data: bytes) -> bool:
    """Return whether a packet begins with an ADTS header."""
    return len(data) > _ADTS_HEADER and data[0] == 0xFF and data[1] & 0xF6 == 0xF0


def adts_object_type(data: bytes) -> int:
    """Return the audio object type that an ADTS header states."""
    return (data[2] >> 6) + 1


def without_adts(data: bytes) -> bytes:
    """Return the access unit behind an ADTS header."""
    return data[_ADTS_HEADER if data[1] & 1 else _ADTS_HEADER_WITH_CRC :]


def rate_index(sample_rate: int) -> int:
    """Return the number that AAC gives this sample rate; ValueError where it has none."""
    return _RATES.index(sample_rate)


def is_known_rate(sample_rate: int) -> bool:
    """Return whether AAC has this sample rate."""
    return sample_rate in _RATES
