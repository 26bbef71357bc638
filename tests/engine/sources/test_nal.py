"""What is read from H.264 and H.265 units."""

import random

import pytest

from omma_engine.sources.nal import has_sequence_set, head_of, nal_type, nal_units, picture_size
from tests.engine.coded import coded


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("width", [128, 192, 194, 258, 1922])
def test_the_size_is_read_from_the_parameter_sets(codec: str, width: int) -> None:
    sets = head_of(codec, bytes(coded(codec, frames=1, width=width)[0])).parameter_sets

    assert has_sequence_set(codec, sets)
    assert picture_size(codec, sets) == (width, 128)


@pytest.mark.parametrize(("codec", "types"), [("h264", [7, 8]), ("hevc", [32, 33, 34])])
def test_the_head_of_a_keyframe_is_its_parameter_sets(codec: str, types: list[int]) -> None:
    key, following, *_ = coded(codec)

    head = head_of(codec, bytes(key))

    assert [nal_type(codec, unit) for unit in nal_units(head.parameter_sets)] == types
    assert head.is_closed_entry
    assert head_of(codec, bytes(following)).parameter_sets == b""


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_garbage_is_read_without_an_error(codec: str) -> None:
    chance = random.Random(3)
    key = bytes(coded(codec)[0])

    for _ in range(500):
        damaged = bytearray(key[: chance.randrange(len(key))])
        for _ in range(8):
            if damaged:
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        sets = head_of(codec, bytes(damaged)).parameter_sets
        size = picture_size(codec, sets)
        assert size is None or len(size) == 2


def golomb(value: int) -> str:
    bits = f"{value + 1:b}"
    return "0" * (len(bits) - 1) + bits


def baseline_set(width_in_blocks: int) -> bytes:
    """Return a sequence parameter set of H.264's baseline profile, 64 pixels high."""
    bits = f"{66:08b}" + f"{30:016b}" + "".join(map(golomb, [0, 0, 2, 1])) + "0"
    bits += golomb(width_in_blocks - 1) + golomb(3) + "1" + "1" + "0" + "0" + "1"
    bits += "0" * (-len(bits) % 8)
    return b"\x00\x00\x00\x01\x67" + int(bits, 2).to_bytes(len(bits) // 8)


def test_an_impossible_size_is_damage() -> None:
    assert picture_size("h264", baseline_set(20)) == (320, 64)
    assert picture_size("h264", baseline_set(6000)) is None
