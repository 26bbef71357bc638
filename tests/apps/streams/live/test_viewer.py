"""A viewer who is slow loses pictures, whole GOPs of them, and never more than that."""

import json

import pytest

from apps.streams.live import viewer as viewer_module
from apps.streams.live.viewer import Viewer
from omma_engine.live.muxer import InitSegment, LiveFragment

INIT = InitSegment("avc1.64000b", 160, 96, b"init")


def fragment(number: int, *, is_keyframe: bool = False, size: int = 10) -> LiveFragment:
    return LiveFragment(bytes([number]) * size, number, is_keyframe)


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(viewer_module, "time", made)
    return made


async def test_fragments_that_wait_come_in_one_message(clock: Clock) -> None:
    viewer = Viewer()
    for number in range(3):
        viewer.offer(fragment(number, is_keyframe=number == 0))
    viewer.grant(1)

    assert await viewer.next_message() == bytes(8) + b"\x00" * 10 + b"\x01" * 10 + b"\x02" * 10


async def test_a_message_stays_below_its_limit(clock: Clock) -> None:
    viewer = Viewer()
    for number in range(3):
        viewer.offer(fragment(number, is_keyframe=number == 0, size=200_000))
    viewer.grant(3)

    assert [len(await viewer.next_message()) for _ in range(3)] == [200_008] * 3


async def test_a_slow_viewer_skips_to_the_newest_keyframe(clock: Clock) -> None:
    viewer = Viewer()
    for number in range(6):
        viewer.offer(fragment(number, is_keyframe=number in {0, 4}))
        clock.now_s += 0.5
    viewer.grant(1)

    assert json.loads(await viewer.next_message()) == {"type": "skipped", "fragments": 4}
    assert await viewer.next_message() == (4).to_bytes(8, "big") + b"\x04" * 10 + b"\x05" * 10


@pytest.mark.fault("F10")
async def test_without_a_keyframe_waiting_the_next_one_is_waited_for(clock: Clock) -> None:
    viewer = Viewer()
    for number in range(7):
        viewer.offer(fragment(number, is_keyframe=number in {0, 6}))
        clock.now_s += 0.5
    viewer.grant(1)

    assert json.loads(await viewer.next_message()) == {"type": "skipped", "fragments": 6}
    assert await viewer.next_message() == (6).to_bytes(8, "big") + b"\x06" * 10


async def test_a_new_encoding_drops_what_waits_and_takes_the_credits_back(clock: Clock) -> None:
    viewer = Viewer()
    viewer.begin(INIT)
    await viewer.next_message()
    await viewer.next_message()
    viewer.offer(fragment(1, is_keyframe=True))
    viewer.grant(4)

    viewer.begin(INIT)
    viewer.offer(fragment(2, is_keyframe=True))

    assert json.loads(await viewer.next_message())["type"] == "hello"
    assert await viewer.next_message() == bytes(8) + b"init"
    clock.now_s += 3
    assert viewer.stalled_s == 3


async def test_credits_before_the_first_hello_count(clock: Clock) -> None:
    viewer = Viewer()
    viewer.grant(1)

    viewer.begin(INIT)
    viewer.offer(fragment(2, is_keyframe=True))

    assert json.loads(await viewer.next_message())["type"] == "hello"
    assert await viewer.next_message() == bytes(8) + b"init"
    assert await viewer.next_message() == (2).to_bytes(8, "big") + b"\x02" * 10


async def test_who_takes_nothing_in_is_stalled_however_much_is_skipped(clock: Clock) -> None:
    viewer = Viewer()
    for number in range(24):
        viewer.offer(fragment(number, is_keyframe=number % 2 == 0))
        clock.now_s += 0.5

    assert viewer.stalled_s == 12
    viewer.grant(1)
    assert viewer.stalled_s == 0


async def test_credits_are_bounded(clock: Clock) -> None:
    viewer = Viewer()
    viewer.grant(10**9)
    for number in range(viewer_module.MAX_CREDITS):
        viewer.offer(fragment(number, is_keyframe=True))
        await viewer.next_message()

    viewer.offer(fragment(1))
    clock.now_s += 1

    assert viewer.stalled_s == 1
