"""The faults that Omma is proven against: what `make faults` reports on, row by row."""

from collections.abc import Mapping
from types import MappingProxyType

_NETWORK_AND_CONTENT = {
    1: "The camera's TCP connection is dropped",
    2: "Half-open TCP: nothing comes and nobody says so",
    3: "A host that is a black hole; a name server that hangs",
    4: "RTSP answers 401, 404 or 453, redirects, or stays silent",
    5: "Garbage and hostile packets",
    6: "UDP packets lost and reordered",
    7: "Timestamps jump, stand still, or run at the wrong rate",
    8: "RTP and transport stream counters wrap",
    9: "B-frames and open groups of pictures",
    10: "A minute between keyframes, or none at all",
    11: "The codec changes in the middle of a session",
    12: "The picture's size changes, once and again and again",
    13: "Sound that MP4 does not take",
    14: "The camera reboots, moves, changes its password, or limits sessions",
    15: "Flapping cameras beside healthy ones",
}
_TIME = {
    16: "The camera's clock is wrong",
    17: "The server's clock steps",
    18: "The workers' clocks differ",
    19: "Daylight saving begins and ends",
}
_STORAGE = {
    20: "The disk is full",
    21: "No inodes are left",
    22: "The volume is read-only, gone, or another one",
    23: "The disk is slow",
    24: "fsync fails",
    25: "The recorder is killed in the middle of a segment",
    26: "The power fails",
    27: "Index and disk disagree; the database is empty or old",
    28: "A bit rots",
    29: "Retention races playback and export",
    30: "A crash while footage moves between tiers",
}
_PROCESSES = {
    31: "The capture process is killed",
    32: "The whole worker is killed",
    33: "The worker freezes, and wakes",
    34: "An orderly stop, a deployment",
    35: "Out of memory",
    36: "Zombies and orphans",
    37: "Descriptors or threads leak",
    38: "Memory leaks over weeks",
    39: "A process hangs and does not exit",
}
_SERVICES = {
    40: "Postgres is down",
    41: "Postgres is slow, locked, or out of connections",
    42: "Redis is down",
    43: "Redis comes back without its keys",
    44: "A worker is deaf after the broker restarted",
    45: "A task is delivered twice",
    46: "A worker dies with a task in hand",
    47: "Split brain",
    48: "Two schedulers, or none",
    49: "A migration while recording",
}

CATALOGUE: Mapping[str, str] = MappingProxyType(
    {
        f"F{number}": title
        for group in (_NETWORK_AND_CONTENT, _TIME, _STORAGE, _PROCESSES, _SERVICES)
        for number, title in group.items()
    }
)
