"""The publisher in the place it was made for: a child forked from a process that has one thread."""

import json
import subprocess
import sys
from collections.abc import Sequence

from tests.conftest import ROOT

IMPORTS = """
import json, sys, threading
from pathlib import Path
from apps.streams.bus import async_reader, publisher, reader, results
heavy = [name for name in ("django", "numpy", "cv2", "celery", "channels") if name in sys.modules]
print(json.dumps([len(list(Path("/proc/self/task").iterdir())), heavy]))
"""

FORK = """
import json, os, sys, time
from pathlib import Path
from uuid import UUID
from apps.streams.bus import publisher, reader
from omma_engine.ports import DemandLevel
from omma_engine.types import ClockSource, CodecInfo, EncodedPacket

stream_id = UUID(int=7)
connect = publisher.connect(sys.argv[1])
packet = EncodedPacket(b"k" * 500, 0, 0, 3000, True, 1, ClockSource.ARRIVAL, 0)
child = os.fork()
if child == 0:
    made = connect(stream_id)
    made.set_codec(CodecInfo("h264", 16, 16, (1, 90000), b"", (25, 1)))
    made.offer(packet)
    deadline = time.monotonic() + 5
    while not made.figures.sent and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    made.close()
    os._exit(0)
threads = len(list(Path("/proc/self/task").iterdir()))
opened = reader.connect(sys.argv[1])(stream_id, DemandLevel.EVERYTHING)
items = opened.read(5)
opened.close()
_, status = os.waitpid(child, 0)
print(json.dumps([threads, packet in items, status]))
"""


def run(program: str, *arguments: str) -> Sequence[object]:
    command = [sys.executable, "-W", "error", "-c", program, *arguments]
    answer: list[object] = json.loads(subprocess.check_output(command, cwd=ROOT, timeout=30))
    return answer


def test_importing_the_bus_starts_no_thread_and_loads_nothing_heavy() -> None:
    assert run(IMPORTS) == [1, []]


def test_a_forked_child_publishes_and_its_parent_stays_single_threaded(packet_bus_url: str) -> None:
    assert run(FORK, packet_bus_url) == [1, True, 0]
