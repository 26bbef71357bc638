"""Bits of a raw byte sequence payload (ITU-T H.264, 7.2 and 9.1)."""


class BitReader:
    """Reads bits, emulation prevention bytes taken out. Raises `IndexError` behind the end."""

    def __init__(self, unit: bytes) -> None:
        self._data = unit.replace(b"\x00\x00\x03", b"\x00\x00")
        self._position = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            byte = self._data[self._position >> 3]
            value = value << 1 | (byte >> (7 - (self._position & 7)) & 1)
            self._position += 1
        return value

    def unsigned(self) -> int:
        """Read ue(v), an Exp-Golomb code (clause 9.1 of H.264)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        value = self.unsigned()
        return (value + 1) // 2 if value & 1 else -(value // 2)
