"""Each fault does what it says to the camera it is meant for."""

import time
from collections.abc import Iterator
from itertools import pairwise

import av
import pytest

from tests.farm import CameraHandle, CameraSpec, Farm
from tests.farm.reading import PlainRtsp, Seen, open_stream, packets_of, read_some, read_until

SPEC = CameraSpec(width=320, height=180, fps=30, gop_s=0.5)
VIDEO_HZ = 90_000


@pytest.fixture(scope="module")
def farm() -> Iterator[Farm]:
    with Farm([SPEC] * 13) as running:
        yield running


def sequences(seen: list[Seen]) -> list[int]:
    return [packet.entry.sequence for packet in seen if packet.entry is not None]


def largest_step_s(seen: list[Seen]) -> float:
    times = [packet.pts for packet in seen if packet.pts is not None]
    steps = [after - before for before, after in pairwise(times)]
    return max(steps, key=abs) / VIDEO_HZ


def until_step(seen: list[Seen]) -> bool:
    return abs(largest_step_s(seen)) > 1 if len(seen) > 3 else False


def test_drop_breaks_connections_and_the_next_one_works(farm: Farm) -> None:
    camera = farm.camera(0)
    with open_stream(camera.url()) as container:
        before = read_some(packets_of(container), 5)

        assert camera.drop() == 1

        with pytest.raises((av.FFmpegError, AssertionError)):
            read_until(packets_of(container), lambda seen: False, at_most=1000)
    with open_stream(camera.url()) as container:
        after = read_some(packets_of(container), 5)
    assert sequences(after)[0] > sequences(before)[-1]


def test_a_stall_keeps_the_connection_and_sends_nothing(farm: Farm) -> None:
    camera = farm.camera(1)
    with open_stream(camera.url()) as container:
        packets = packets_of(container)
        before = read_some(packets, 5)

        camera.stall(seconds=0.7)
        after = read_until(packets, lambda seen: seen[-1].is_keyframe and jump(seen) > 15)

    assert after[-1].is_keyframe
    assert sequences(after)[-1] > sequences(before)[-1]
    assert camera.requests()["PLAY 200"] == 1
    missed = [made for made in camera.ledger() if sequences(before)[0] < made.sequence < sequences(after)[-1]]
    assert sum(made.deliveries == 0 for made in missed) >= 15


def jump(seen: list[Seen]) -> int:
    numbers = sequences(seen)
    return max((after - before for before, after in pairwise(numbers)), default=0)


def test_a_mute_camera_answers_nothing_until_it_is_resumed(farm: Farm) -> None:
    camera = farm.camera(2)
    camera.mute()

    began_s = time.monotonic()
    with pytest.raises(av.FFmpegError):
        open_stream(camera.url(), timeout_s=0.5)
    assert 0.4 < time.monotonic() - began_s < 4

    camera.resume()
    with open_stream(camera.url()) as container:
        assert len(read_some(packets_of(container), 3)) == 3


def test_flipped_bits_reach_the_client_and_the_connection_stays(farm: Farm) -> None:
    camera = farm.camera(3)
    with open_stream(camera.url()) as container:
        packets = packets_of(container, decoded=False)
        read_some(packets, 3)

        camera.flip_bits(0.02)
        damaged = read_some(packets, 25)
        camera.resume()
        read_until(packets, lambda seen: sequences(seen) != [])

    assert len(sequences(damaged)) < 20
    assert camera.requests()["PLAY 200"] == 1


def test_noise_stands_between_the_packets(farm: Farm) -> None:
    camera = farm.camera(4)
    with PlainRtsp(camera.url()) as client:
        client.play()
        assert client.next_packet()[0] in {0, 1}

        camera.send_noise(5000)
        with pytest.raises(ValueError, match="expected an interleaved packet"):
            read_packets(client, 500)


def read_packets(client: PlainRtsp, count: int) -> list[tuple[int, bytes]]:
    return [client.next_packet() for _ in range(count)]


@pytest.mark.parametrize("seconds", [3600.0, -10.0])
def test_a_jump_moves_the_rtp_clock_and_loses_no_picture(farm: Farm, seconds: float) -> None:
    camera = farm.camera(5)
    with open_stream(camera.url()) as container:
        packets = packets_of(container, decoded=False)
        before = read_some(packets, 5)

        camera.jump_timestamps(seconds)
        after = read_until(packets, until_step)

    assert largest_step_s(after) == pytest.approx(seconds, abs=0.1)
    seen = sequences(before + after)
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_the_rtp_clock_can_run_at_twice_the_speed(farm: Farm) -> None:
    camera = farm.camera(6)
    camera.set_timestamp_rate(2.0)

    with open_stream(camera.url()) as container:
        seen = read_some(packets_of(container, decoded=False), 12)

    times = [packet.pts for packet in seen if packet.pts is not None]
    assert (times[-1] - times[0]) / (len(times) - 1) == pytest.approx(6000, rel=0.01)


def test_the_picture_changes_its_size_in_mid_stream(farm: Farm) -> None:
    camera = farm.camera(7)
    with open_stream(camera.url()) as container:
        packets = packets_of(container)
        before = read_some(packets, 5)

        camera.change_video(480, 270)
        after = read_until(packets, lambda seen: (480, 270) in seen[-1].sizes)

    assert before[-1].sizes == ((320, 180),)
    numbers = sequences(before + after)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert after[-1].codes[0] is not None


def test_another_codec_makes_clients_read_the_description_again(farm: Farm) -> None:
    camera = farm.camera(8)
    with open_stream(camera.url()) as container:
        read_some(packets_of(container), 3)

        camera.change_video(320, 180, "hevc")

        with pytest.raises((av.FFmpegError, AssertionError)):
            read_until(packets_of(container), lambda seen: False, at_most=1000)
    with open_stream(camera.url()) as container:
        assert container.streams.video[0].codec_context.name == "hevc"
        assert read_some(packets_of(container), 3)[0].is_keyframe


def test_a_restart_refuses_connections_and_starts_another_rtp_clock(farm: Farm) -> None:
    camera = farm.camera(9)
    rtp_before = camera.ledger()[-1].rtp_time

    camera.restart(0.5)

    with pytest.raises(OSError, match="refused"):
        PlainRtsp(camera.url())
    came_back_s = first_answer(camera)
    assert 0.3 < came_back_s < 2.0
    assert abs(camera.ledger()[-1].rtp_time - rtp_before) > 60 * VIDEO_HZ


def first_answer(camera: CameraHandle) -> float:
    began_s = time.monotonic()
    while time.monotonic() - began_s < 5:
        try:
            with PlainRtsp(camera.url()) as client:
                assert client.ask("OPTIONS")[0] == 200
                return time.monotonic() - began_s
        except ConnectionError:
            time.sleep(0.02)
    raise AssertionError("the camera did not come back")


def test_withheld_keyframes_are_made_and_not_sent(farm: Farm) -> None:
    camera = farm.camera(10)
    with open_stream(camera.url()) as container:
        packets = packets_of(container, decoded=False)
        read_some(packets, 3)

        camera.withhold_keyframes()
        seen = read_some(packets, 25)

    numbers = set(sequences(seen))
    made = [each for each in camera.ledger() if min(numbers) < each.sequence < max(numbers)]
    withheld = [each for each in made if each.sequence not in numbers]
    assert withheld
    assert all(each.is_keyframe and each.deliveries == 0 for each in withheld)


def test_lost_packets_leave_holes(farm: Farm) -> None:
    camera = farm.camera(11)
    camera.lose_packets(0.3)
    numbers: list[int] = []

    with PlainRtsp(camera.url()) as client:
        client.play()
        while len(numbers) < 60:
            channel, packet = client.next_packet()
            if channel == 0:
                numbers.append(int.from_bytes(packet[2:4], "big"))

    steps = [(after - before) & 0xFFFF for before, after in pairwise(numbers)]
    assert max(steps) > 1
    assert 65 < sum(steps) < 130


def test_faults_of_one_camera_are_no_other_cameras(farm: Farm) -> None:
    sick, healthy = farm.camera(12), farm.camera(0)
    with open_stream(healthy.url()) as container:
        packets = packets_of(container, decoded=False)
        seen = read_some(packets, 3)

        sick.answer(503)
        sick.stall()
        sick.drop()
        seen += read_some(packets, 15)

    numbers = sequences(seen)
    assert numbers == list(range(numbers[0], numbers[0] + 18))
