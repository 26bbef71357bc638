"""One stream's feed: what is decoded when, and what waits."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from omma_engine.inference.feed import StreamFeed
from omma_engine.inference.frames import CAPACITY, PictureQueue, PictureToAnalyse
from omma_engine.ports import DemandLevel
from tests.engine.inference.conftest import scene_pictures
from tests.engine.inference.recorded import START_US, RecordedReader, read_video

STREAM = UUID(int=1)


def run_feed(
    reader: RecordedReader,
    *,
    rate_fps: float = 5.0,
    on_taken: Callable[[StreamFeed, PictureToAnalyse], None] | None = None,
) -> tuple[StreamFeed, list[PictureToAnalyse]]:
    """Let a feed read to the end of a recording, taking each picture at once."""
    feed = StreamFeed(STREAM, open_reader=lambda _stream, _level: reader, on_picture=lambda: None)
    feed.rate_fps = rate_fps
    taken: list[PictureToAnalyse] = []
    feed.start()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not (reader.is_done and len(feed.queue) == 0):
        picture = feed.queue.take()
        if picture is None:
            time.sleep(0.001)
            continue
        taken.append(picture)
        if on_taken:
            on_taken(feed, picture)
    feed.stop()
    return feed, taken


def recorded(path: Path, *, speed: float = 0.0) -> RecordedReader:
    info, packets = read_video(path)
    return RecordedReader(info, packets, DemandLevel.KEYFRAMES, speed)


def seconds(picture: PictureToAnalyse) -> float:
    return round((picture.capture_us - START_US) / 1e6, 3)


def test_a_quiet_scene_is_decoded_by_keyframes_only(quiet_video: Path) -> None:
    reader = recorded(quiet_video, speed=20)

    feed, taken = run_feed(reader)

    assert reader.levels == [DemandLevel.KEYFRAMES]
    assert feed.decoded == 10
    assert [seconds(picture) for picture in taken] == [float(second) for second in range(0, 20, 2)]
    assert [picture.is_quiet for picture in taken] == [False] + [True] * 9


def test_motion_switches_to_everything_from_the_buffered_gop_on(visit_video: Path) -> None:
    reader = recorded(visit_video, speed=8)

    feed, taken = run_feed(reader)

    awake = [seconds(picture) for picture in taken if not picture.is_quiet][1:]
    assert DemandLevel.EVERYTHING in reader.levels
    assert awake[0] <= 3.4  # the person is first seen at 3.1 s, far from the next keyframe at 4 s
    assert sum(3.0 <= second <= 15.0 for second in awake) >= 50
    assert feed.level is DemandLevel.KEYFRAMES
    assert feed.decoded < 175


def test_a_live_track_keeps_the_stream_awake(quiet_video: Path) -> None:
    reader = recorded(quiet_video, speed=20)

    feed, taken = run_feed(
        reader, on_taken=lambda feed, picture: feed.activity.note_track(picture.capture_us)
    )

    assert reader.levels == [DemandLevel.KEYFRAMES, DemandLevel.EVERYTHING]
    assert feed.decoded > 150
    assert all(b.capture_us - a.capture_us >= 190_000 for a, b in itertools.pairwise(taken))


def test_pictures_are_taken_at_the_rate_and_in_order(visit_video: Path) -> None:
    _, taken = run_feed(recorded(visit_video, speed=8), rate_fps=2.0)

    times = [picture.capture_us for picture in taken]
    assert times == sorted(times)
    assert min(b - a for a, b in itertools.pairwise(times)) >= 475_000


def test_packets_that_cannot_be_decoded_cost_their_gop_only(visit_video: Path) -> None:
    info, packets = read_video(visit_video)
    broken = [
        replace(packet, data=b"\xff" * 50) if 4.9 < (packet.capture_us - START_US) / 1e6 < 5.1 else packet
        for packet in packets
    ]

    feed, taken = run_feed(RecordedReader(info, broken, DemandLevel.KEYFRAMES, 8))

    times = [seconds(picture) for picture in taken]
    assert feed.decode_errors >= 1
    assert not any(5.0 < second < 6.0 for second in times)
    assert any(6.0 <= second < 8.0 for second in times)


def test_a_slow_analysis_drops_the_oldest_and_never_holds_more_than_two() -> None:
    queue = PictureQueue()
    (array,) = scene_pictures(range(1))
    for number in range(10):
        queue.put(PictureToAnalyse(STREAM, number, array, (640, 480), is_quiet=False))
        assert len(queue) <= CAPACITY

    first, second, nothing = queue.take(), queue.take(), queue.take()

    assert queue.dropped == 8
    assert (first and first.capture_us, second and second.capture_us, nothing) == (8, 9, None)
