"""A camera on the bus without capture: recorded packets, published at their own pace, taken just now."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from django.conf import settings

from apps.streams.bus import publisher
from tests.engine.inference.recorded import START_US, read_video


@contextmanager
def on_air(stream_id: UUID, video: Path) -> Iterator[None]:
    """Publish the video again and again until the block is left."""
    stopping = threading.Event()
    thread = threading.Thread(target=_publish, args=(stream_id, video, stopping), daemon=True)
    thread.start()
    yield
    stopping.set()
    thread.join(timeout=5)


def _publish(stream_id: UUID, video: Path, stopping: threading.Event) -> None:
    info, packets = read_video(video)
    last = packets[-1]
    length_pts = last.pts + (last.duration or packets[1].pts - packets[0].pts)
    length_us = round(length_pts * info.time_base[0] * 1_000_000 / info.time_base[1])
    outlet = publisher.connect(settings.BUS_URL)(stream_id)
    outlet.set_codec(info)
    began_us, turn = time.time_ns() // 1000, 0
    while not stopping.is_set():
        for packet in packets:
            capture_us = began_us + turn * length_us + packet.capture_us - START_US
            if stopping.wait(max(0.0, capture_us / 1e6 - time.time())):
                break
            shift = turn * length_pts
            outlet.offer(
                replace(packet, pts=packet.pts + shift, dts=packet.dts + shift, capture_us=capture_us)
            )
        turn += 1
    outlet.close()
