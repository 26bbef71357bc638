"""Every address of a virtual camera opens, and says the same as the camera's ledger."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.farm import CameraSpec, Farm, LedgerEntry
from tests.farm.reading import Transport, open_stream, packets_of, read_some

SMALL = CameraSpec(width=320, height=180, fps=30, gop_s=0.5)
LIVE, LIVE_HEVC, LOOP, LOOP_HEVC, B_FRAMES, TALKING = range(6)


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    specs = [
        SMALL,
        replace(SMALL, codec="hevc"),
        replace(SMALL, mode="loop", loop_s=0.5),
        replace(SMALL, mode="loop", loop_s=0.5, codec="hevc"),
        replace(SMALL, mode="loop", loop_s=0.5, b_frames=2),
        replace(SMALL, has_audio=True),
    ]
    with Farm(specs) as running:
        yield running


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("number", [LIVE, LIVE_HEVC, LOOP, LOOP_HEVC])
def test_every_picture_arrives_once_and_as_the_ledger_has_it(
    farm: Farm, number: int, transport: Transport
) -> None:
    camera = farm.camera(number)

    with open_stream(camera.url(), transport) as container:
        assert container.streams.video[0].codec_context.name == camera.spec.codec
        seen = read_some(packets_of(container), 16)

    made = {emitted.sequence: emitted for emitted in camera.ledger()}
    entries = [packet.entry for packet in seen if packet.entry is not None]
    assert len(entries) == len(seen)
    assert [entry.sequence for entry in entries] == list(
        range(entries[0].sequence, entries[0].sequence + len(seen))
    )
    for packet, entry in zip(seen, entries, strict=True):
        emitted = made[entry.sequence]
        assert entry == LedgerEntry(number, emitted.sequence, emitted.utc_us)
        assert packet.is_keyframe == emitted.is_keyframe
        assert emitted.deliveries == 1
    assert seen[0].is_keyframe


@pytest.mark.parametrize("number", [LIVE, LIVE_HEVC])
def test_the_pixels_of_a_live_camera_say_the_same_as_its_ledger(farm: Farm, number: int) -> None:
    with open_stream(farm.url(number)) as container:
        seen = read_some(packets_of(container), 20)

    entries = [packet.entry for packet in seen if packet.entry is not None]
    codes = [code for packet in seen for code in packet.codes if code is not None]
    assert len(codes) >= 15
    said = [LedgerEntry(code.stream_id, code.counter, code.utc_us) for code in codes]
    assert said == entries[: len(said)]


def test_a_loop_repeats_its_pixels_and_its_ledger_goes_on(farm: Farm) -> None:
    with open_stream(farm.url(LOOP)) as container:
        seen = read_some(packets_of(container), 35)

    counters = [code.counter for packet in seen for code in packet.codes if code is not None]
    sequences = [packet.entry.sequence for packet in seen if packet.entry is not None]
    assert max(counters) == 14
    assert counters.count(7) >= 2
    assert len(set(sequences)) == 35


def test_reordered_pictures_are_sent_in_decoding_order_with_display_times(farm: Farm) -> None:
    with open_stream(farm.url(B_FRAMES)) as container:
        seen = read_some(packets_of(container), 25)

    entries = [packet.entry for packet in seen if packet.entry is not None]
    sequences = [entry.sequence for entry in entries]
    assert sequences != sorted(sequences)
    shown = [code.counter for packet in seen for code in packet.codes if code is not None]
    assert all((after - before) % 15 == 1 for before, after in pairwise(shown))
    timed = [(packet.pts, packet.entry) for packet in seen[1:] if packet.pts is not None and packet.entry]
    first_pts, first = timed[0]
    for pts, entry in timed:
        assert abs((pts - first_pts) / 90_000 - (entry.utc_us - first.utc_us) / 1e6) < 0.001


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_sound_comes_beside_the_pictures(farm: Farm, transport: Transport) -> None:
    with open_stream(farm.url(TALKING), transport) as container:
        assert container.streams.audio[0].codec_context.name == "pcm_alaw"
        samples = pictures = 0
        for packet in container.demux():
            if packet.stream.type == "audio":
                samples += packet.size  # of A-law, one byte each
            else:
                pictures += 1
            if pictures == 25:
                break

    assert samples == pytest.approx(25 / 30 * 8000, rel=0.3)


@pytest.mark.parametrize("number", [LIVE, LOOP])
def test_mjpeg_shows_pictures_of_the_moment(farm: Farm, number: int) -> None:
    camera = farm.camera(number)

    with open_stream(camera.url("mjpeg")) as container:
        codes = [packet.codes[0] for packet in read_some(packets_of(container), 10)]

    made = {emitted.sequence: emitted.utc_us for emitted in camera.ledger()}
    read = [code for code in codes if code is not None]
    assert len(read) == len(codes)
    assert all(code.utc_us == made[code.counter] and code.stream_id == number for code in read)


def test_a_still_is_one_picture(farm: Farm) -> None:
    with open_stream(farm.camera(LIVE).url("still")) as container:
        codes = [code for packet in packets_of(container) for code in packet.codes]

    assert len(codes) == 1
    assert codes[0] is not None


def test_a_client_that_goes_away_is_forgotten(farm: Farm) -> None:
    camera = farm.camera(TALKING)

    with open_stream(camera.url("mjpeg")) as container:
        read_some(packets_of(container), 2)
        assert camera.sessions() == 1

    deadline = time.monotonic() + 5
    while camera.sessions() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert camera.sessions() == 0


@pytest.mark.parametrize("number", [LIVE, LOOP_HEVC])
def test_hls_goes_on_over_its_segments(farm: Farm, number: int) -> None:
    camera = farm.camera(number)

    with open_stream(camera.url("hls")) as container:
        seen = read_some(packets_of(container, decoded=False), 40)

    sequences = [packet.entry.sequence for packet in seen if packet.entry is not None]
    assert sequences == list(range(sequences[0], sequences[0] + 40))
