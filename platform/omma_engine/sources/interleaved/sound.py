"""RTP payloads to sound: G.711 (RFC 3551, 4.5.14) and AAC (RFC 3640, mode AAC-hbr)."""

from dataclasses import dataclass

from omma_engine.sources.base import AudioInfo
from omma_engine.sources.interleaved.description import Medium

_PLAIN = {"PCMU": "pcm_mulaw", "PCMA": "pcm_alaw"}
_FRAME_SAMPLES = 1024


@dataclass(frozen=True, slots=True)
class SoundUnit:
    """One piece of sound, and by how many ticks it comes after its packet's time."""

    data: bytes
    offset_ticks: int
    duration_ticks: int


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """How a medium's sound is packed."""

    info: AudioInfo
    is_aac: bool

    def units(self, payload: memoryview) -> list[SoundUnit]:
        """Return what a payload holds; nothing where it is cut short."""
        if not self.is_aac:
            data = bytes(payload)
            return [SoundUnit(data, 0, len(data) // max(1, self.info.channels))]
        return _access_units(payload)


def sound_format(medium: Medium) -> SoundFormat | None:
    """Return how a medium's sound is packed; None where it is not understood here."""
    time_base = (1, medium.clock_hz)
    if medium.encoding in _PLAIN:
        info = AudioInfo(_PLAIN[medium.encoding], medium.clock_hz, medium.channels, time_base)
        return SoundFormat(info, is_aac=False)
    lengths = [medium.parameters.get(name, "") for name in ("sizelength", "indexlength", "indexdeltalength")]
    if medium.encoding != "MPEG4-GENERIC" or lengths != ["13", "3", "3"]:
        return None
    try:
        config = bytes.fromhex(medium.parameters.get("config", ""))
    except ValueError:
        return None
    if len(config) < 2:
        return None
    return SoundFormat(AudioInfo("aac", medium.clock_hz, medium.channels, time_base, config), is_aac=True)


def _access_units(payload: memoryview) -> list[SoundUnit]:
    header_bits = int.from_bytes(payload[:2], "big")
    count = header_bits // 16
    position = 2 + 2 * count
    units = []
    for number in range(count):
        size = int.from_bytes(payload[2 + 2 * number : 4 + 2 * number], "big") >> 3
        data = bytes(payload[position : position + size])
        if len(data) != size:
            return []  # in fragments, which no camera's bit rate comes to
        units.append(SoundUnit(data, number * _FRAME_SAMPLES, _FRAME_SAMPLES))
        position += size
    return units
