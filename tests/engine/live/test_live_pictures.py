"""Pictures out of packets: keyframes alone, everything, and the change between the two."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from omma_engine.errors import SourceUnsupportedError
from omma_engine.live.pictures import DrawnBox, LivePicture, PictureDecoder, encode_picture
from omma_engine.types import CodecInfo, EncodedPacket
from tests.apps.streams.bus.video import FRAME_US, START_US, clip


def decoder_for(info: CodecInfo) -> PictureDecoder:
    decoder = PictureDecoder()
    decoder.set_codec(info)
    return decoder


def newest(info: CodecInfo, packets: Sequence[EncodedPacket]) -> LivePicture:
    picture = decoder_for(info).decode(packets, only_keyframes=False)
    assert picture is not None
    return picture


def pixels_of(jpeg: bytes) -> NDArray[np.uint8]:
    found = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found.astype(np.uint8)


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_the_newest_picture_carries_its_capture_time(codec: str) -> None:
    info, packets = clip(codec=codec)

    assert newest(info, packets[:20]).capture_us == START_US + 19 * FRAME_US


def test_a_lone_keyframe_comes_out_at_once_even_with_reordering() -> None:
    info, packets = clip(b_frames=2)

    picture = decoder_for(info).decode(packets[:1], only_keyframes=True)

    assert picture is not None
    assert picture.capture_us == START_US


def test_after_keyframes_alone_the_rest_of_the_gop_decodes() -> None:
    info, packets = clip()
    decoder = decoder_for(info)
    decoder.decode(packets[:1], only_keyframes=True)

    picture = decoder.decode(packets[1:6], only_keyframes=False)

    assert picture is not None
    assert picture.capture_us == START_US + 5 * FRAME_US
    alike = pixels_of(encode_picture(picture)), pixels_of(encode_picture(newest(info, packets[:6])))
    assert np.array_equal(*alike)


def test_damaged_packets_are_passed_over() -> None:
    info, packets = clip()
    decoder = decoder_for(info)

    assert decoder.decode([replace(packets[0], data=b"\xff" * 100)], only_keyframes=False) is None
    assert decoder.decode(packets[10:12], only_keyframes=False) is not None


def test_a_picture_is_never_wider_than_asked_for() -> None:
    info, packets = clip()
    picture = newest(info, packets[:1])

    assert pixels_of(encode_picture(picture, max_width=80)).shape == (48, 80, 3)
    assert pixels_of(encode_picture(picture, max_width=4000)).shape == (96, 160, 3)


def test_boxes_are_drawn_where_they_are() -> None:
    info, packets = clip()
    picture = newest(info, packets[:1])
    plain = pixels_of(encode_picture(picture)).astype(int)

    drawn = encode_picture(picture, boxes=[DrawnBox((0.5, 0.5, 0.9, 0.9), "person", "person 3 87%")])

    changed = np.abs(pixels_of(drawn).astype(int) - plain).max(axis=2) > 60
    rows, columns = np.nonzero(changed)
    assert 76 <= columns.min() <= 82
    assert 84 <= rows.max() <= 88


def test_boxes_outside_the_picture_are_cut() -> None:
    info, packets = clip()

    drawn = encode_picture(newest(info, packets[:1]), boxes=[DrawnBox((-5.0, -1.0, 9.0, 2.0), "cat", "cat")])

    assert pixels_of(drawn).shape == (96, 160, 3)


def test_an_unknown_codec_is_refused_by_name() -> None:
    info, _ = clip()

    with pytest.raises(SourceUnsupportedError, match="nonsense cannot be decoded"):
        PictureDecoder().set_codec(replace(info, codec="nonsense"))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="linux: threads are counted in /proc")
def test_pictures_hold_no_threads() -> None:
    frames = [av.VideoFrame(640, 480, "yuv420p") for _ in range(8)]
    encode_picture(LivePicture(frames[0], 0), max_width=320)  # what starts once for the process
    before = len(list(Path("/proc/self/task").iterdir()))

    for frame in frames:
        encode_picture(LivePicture(frame, 0), max_width=320)

    assert len(list(Path("/proc/self/task").iterdir())) == before
