"""The pixel code: what is drawn is read, from every kind of picture, and nothing else is read."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from omma_engine.sources.pixel_code import HEIGHT_PX, WIDTH_PX, PixelCode, draw_code, read_code
from tests.farm.ledger import code_of_frame

NOON_US = 1_795_262_400_123_456
EXTREMES = [PixelCode(0, 0, 0), PixelCode(7, 123_456, NOON_US), PixelCode(0xFFFF, 0xFFFFFFFF, 2**64 - 1)]


def busy_picture(seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, (360, 640, 3), dtype=np.uint8)


@pytest.mark.parametrize("code", EXTREMES)
def test_a_drawn_code_is_read_back(code: PixelCode) -> None:
    colour, luma = busy_picture(), busy_picture()[:, :, 0].copy()

    draw_code(colour, code)
    draw_code(luma, code, origin_xy=(64, 128))

    assert read_code(colour[:, :, 1]) == code
    assert read_code(luma, origin_xy=(64, 128)) == code


def test_only_the_patch_is_drawn_over() -> None:
    picture, before = busy_picture(), busy_picture()

    draw_code(picture, PixelCode(1, 2, 3))

    assert (picture[HEIGHT_PX:] == before[HEIGHT_PX:]).all()
    assert (picture[:, WIDTH_PX:] == before[:, WIDTH_PX:]).all()


def test_a_picture_without_a_code_reads_as_none() -> None:
    assert read_code(busy_picture()[:, :, 0]) is None
    assert read_code(np.zeros((360, 640), dtype=np.uint8)) is None
    assert read_code(np.zeros((20, 20), dtype=np.uint8)) is None


def test_every_damaged_bit_is_noticed() -> None:
    picture = np.zeros((HEIGHT_PX, WIDTH_PX), dtype=np.uint8)
    draw_code(picture, PixelCode(7, 123_456, NOON_US))

    for row in range(0, HEIGHT_PX, 8):
        for column in range(0, WIDTH_PX, 8):
            damaged = picture.copy()
            damaged[row : row + 8, column : column + 8] = 255 - damaged[row : row + 8, column : column + 8]
            assert read_code(damaged) is None, (row, column)


def test_a_picture_too_small_for_the_patch_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        draw_code(np.zeros((360, 100, 3), dtype=np.uint8), PixelCode(1, 1, 1))


@pytest.mark.parametrize(
    ("encoder", "bitrate"), [("libx264", 400_000), ("libx264", 250_000), ("libx265", 300_000)]
)
def test_codes_survive_video_of_low_bitrate(encoder: str, bitrate: int) -> None:
    codes = [PixelCode(3, number, NOON_US + number * 66_667) for number in range(45)]

    assert _after_encoding(codes, encoder, bitrate) == codes


@pytest.mark.parametrize("quality", [50, 90])
def test_codes_survive_jpeg(quality: int) -> None:
    picture = busy_picture()
    draw_code(picture, EXTREMES[1])

    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])

    assert read_code(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)) == EXTREMES[1]


def _after_encoding(codes: list[PixelCode], encoder: str, bitrate: int) -> list[PixelCode | None]:
    context = av.CodecContext.create(encoder, "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = 640, 360, "yuv420p"
    context.time_base, context.framerate, context.bit_rate = Fraction(1, 15), Fraction(15), bitrate
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "x265-params": "log-level=none"}
    if encoder == "libx264":
        context.options = {"preset": "ultrafast", "tune": "zerolatency"}
    packets: list[av.Packet[av.VideoStream]] = []
    for number, code in enumerate(codes):
        picture = np.roll(busy_picture() // 3, number, axis=1)
        draw_code(picture, code)
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    decoder = av.CodecContext.create("h264" if encoder == "libx264" else "hevc", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [code_of_frame(frame) for frame in frames]
