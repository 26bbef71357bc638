"""What can be wrong with a virtual camera just now, and how broken packets are made."""

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """The faults of one camera; all off by default.

    `is_stalled`: connections stay, no media leaves. `is_mute`: requests are read and never answered.
    `flip_share`: share of the media's bits that is flipped. `noise_bytes`: random bytes thrown once into each
    TCP connection. `lost_share`: share of the packets that vanish. `keyframes_withheld`: no IDR leaves.
    `answer`: the status given to every request from now on, or to those of `answered_method` alone;
    `location` goes with it. `rtp_jump` in ticks of the video clock.
    """

    is_stalled: bool = False
    is_mute: bool = False
    flip_share: float = 0.0
    noise_bytes: int = 0
    lost_share: float = 0.0
    keyframes_withheld: bool = False
    answer: int | None = None
    answered_method: str = ""
    location: str = ""
    rtp_jump: int = 0
    rtp_rate: float = 1.0
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def survivors(self, packets: list[bytes]) -> list[bytes]:
        """Return the packets that get through, as they arrive."""
        if self.lost_share:
            packets = [packet for packet in packets if self.chance.random() >= self.lost_share]
        if self.flip_share:
            packets = [self._flipped(packet) for packet in packets]
        return packets

    def noise(self) -> bytes:
        """Return what is to be thrown into the connection now, and forget it."""
        count, self.noise_bytes = self.noise_bytes, 0
        return self.chance.randbytes(count)

    def _flipped(self, packet: bytes) -> bytes:
        bits = len(packet) * 8
        count = sum(self.chance.random() < self.flip_share * 8 for _ in range(len(packet)))
        broken = bytearray(packet)
        for _ in range(count):
            bit = self.chance.randrange(12 * 8, bits)  # the RTP header stays, or nothing would be decoded
            broken[bit // 8] ^= 1 << bit % 8
        return bytes(broken)
