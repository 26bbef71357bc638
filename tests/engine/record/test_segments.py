"""Segment files: what is in them, how they are cut, and that each plays alone."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import av
import pytest

from omma_engine.record.header import AudioFormat
from omma_engine.record.index import read_index
from omma_engine.record.recorder import Coding
from omma_engine.record.writing import AudioPiece
from omma_engine.types import EncodedPacket, GapCause, RecordMode
from tests.engine.coded import (
    HEIGHT,
    START_US,
    WIDTH,
    codec_info,
    decoded_numbers,
    stamped,
)
from tests.engine.record.recording import Recording


@pytest.mark.parametrize(("codec", "b_frames"), [("h264", 0), ("h264", 2), ("hevc", 0)])
def test_each_segment_plays_alone_and_no_picture_is_missing(
    tmp_path: Path, codec: str, b_frames: int
) -> None:
    recording = Recording(tmp_path, codec=codec, segment_s=2, frames=60, b_frames=b_frames)

    recording.feed(stamped(60, codec=codec, b_frames=b_frames))
    recording.recorder.finish()

    assert [decoded_numbers(path) for path in recording.files()] == [
        list(range(20)), list(range(20, 40)), list(range(40, 60)),
    ]  # fmt: skip
    assert recording.of_kind("gap") == []


def test_news_tell_what_is_in_the_file(tmp_path: Path) -> None:
    recording = Recording(tmp_path, segment_s=2, frames=40)

    recording.feed(stamped(40, first_tick=123_000))
    recording.recorder.finish()

    opened, closed = recording.of_kind("segment_open"), recording.of_kind("segment_close")
    assert [(each["start_us"], each["start_ticks"]) for each in opened] == [
        (START_US, 123_000), (START_US + 2_000_000, 123_000 + 180_000),
    ]  # fmt: skip
    assert [each["end_us"] for each in closed] == [START_US + 2_000_000, START_US + 4_000_000]
    for news, end in zip(opened, closed, strict=True):
        path = recording.root / news["path"]
        content = path.read_bytes()
        index = read_index(path)
        told = [
            fragment
            for each in recording.of_kind("segment_progress")
            if each["segment_id"] == news["segment_id"]
            for fragment in each["fragments"]
        ]
        assert end["sha256"] == hashlib.sha256(content).hexdigest()
        assert end["durable_bytes"] == len(content) == index.whole_bytes
        assert news["init_size"] == index.init_size == told[0][2]
        assert told == [
            [f.start_us, f.duration_us, f.offset, f.size, int(f.is_keyframe)] for f in index.fragments
        ]
        assert (index.label.segment_id, index.label.epoch) == (news["segment_id"], 7 << 20)
        assert index.frame_count == 20
        assert (news["codec"], news["width"], news["height"]) == ("h264", WIDTH, HEIGHT)


def test_a_fragment_begins_with_every_keyframe_and_lasts_less_than_a_second(tmp_path: Path) -> None:
    recording = Recording(tmp_path, frames=50, gop=25)

    recording.feed(stamped(50, gop=25))
    recording.recorder.finish()

    fragments = [fragment for each in recording.of_kind("segment_progress") for fragment in each["fragments"]]
    assert [start for start, *_, is_keyframe in fragments if is_keyframe] == [0, 2_500_000]
    assert max(duration for _, duration, *_ in fragments) < 1_000_000
    assert sum(duration for _, duration, *_ in fragments) == 5_000_000


@pytest.mark.parametrize("b_frames", [0, 3])
def test_fragments_follow_each_other_without_a_hole_or_an_overlap(tmp_path: Path, b_frames: int) -> None:
    recording = Recording(tmp_path, segment_s=4, frames=75, gop=25, b_frames=b_frames)

    recording.feed(stamped(75, gop=25, b_frames=b_frames))
    recording.recorder.finish()

    for opened, closed in zip(
        recording.of_kind("segment_open"), recording.of_kind("segment_close"), strict=True
    ):
        told = [each for each in recording.of_kind("segment_progress")
                if each["segment_id"] == opened["segment_id"]]  # fmt: skip
        fragments = [fragment for each in told for fragment in each["fragments"]]
        ends = [start + duration for start, duration, *_ in fragments]
        assert [start for start, *_ in fragments[1:]] == pytest.approx(ends[:-1], abs=1_000)
        assert opened["start_us"] + ends[-1] == pytest.approx(closed["end_us"], abs=1_000)
        assert max(each["end_us"] for each in told) <= closed["end_us"] + 1_000


def test_what_is_said_to_be_durable_was_synced_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    recording = Recording(tmp_path, frames=60)

    recording.feed(stamped(60))

    said = [each["durable_bytes"] for each in recording.of_kind("segment_progress")]
    assert said
    assert said == synced
    assert len(said) <= 1 + 60 // 20


@pytest.mark.fault("F10")
def test_a_segment_without_keyframes_is_cut_by_time(tmp_path: Path) -> None:
    recording = Recording(tmp_path, segment_s=1, frames=50, gop=200)

    recording.feed(stamped(50, gop=200))
    recording.recorder.finish()

    assert [read_index(path).frame_count for path in recording.files()] == [18, 18, 14]
    assert recording.of_kind("gap") == []


def test_transient_segments_are_shorter_than_twenty_seconds(tmp_path: Path) -> None:
    recording = Recording(tmp_path, mode=RecordMode.EVENTS, frames=300, gop=20)

    recording.feed(stamped(300, gop=20))
    recording.recorder.finish()

    opened = recording.of_kind("segment_open")
    lengths = [end["end_us"] - start["start_us"]
               for start, end in zip(opened, recording.of_kind("segment_close"), strict=True)]  # fmt: skip
    assert all(each["is_transient"] for each in opened)
    assert lengths == [18_000_000, 12_000_000]


def test_off_writes_nothing_and_says_why(tmp_path: Path) -> None:
    recording = Recording(tmp_path, mode=RecordMode.OFF)

    recording.feed(stamped(20))

    (gap,) = recording.of_kind("gap")
    assert (gap["cause"], gap["end_us"]) == ("policy", None)
    assert not (tmp_path / "segments").exists()


def test_a_mode_that_changes_leaves_no_stretch_unexplained(tmp_path: Path) -> None:
    recording = Recording(tmp_path, frames=60)
    packets = stamped(60, start_us=recording.clock.now_us() + 100_000)

    recording.feed(packets[:20])
    recording.recorder.set_mode(RecordMode.OFF)
    recording.feed(packets[20:35])
    recording.recorder.set_mode(RecordMode.CONTINUOUS)
    recording.feed(packets[35:])
    recording.recorder.finish()

    opened, closed = recording.of_kind("segment_open"), recording.of_kind("segment_close")
    start, end = recording.of_kind("gap")
    assert (start["cause"], start["start_us"], start["end_us"]) == ("policy", closed[0]["end_us"], None)
    assert (end["gap_id"], end["end_us"]) == (start["gap_id"], opened[1]["start_us"])
    assert opened[1]["start_us"] == packets[40].capture_us


def test_an_interruption_is_a_gap_from_the_last_picture_to_the_next(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.feed(stamped(20))
    recording.recorder.interrupt(GapCause.NETWORK, "no packet came for 4 seconds")
    recording.recorder.interrupt(GapCause.CAMERA, "the camera said 401")
    recording.feed(stamped(20, start_us=START_US + 9_000_000))

    gaps = recording.of_kind("gap")
    assert [(gap["cause"], gap["start_us"], gap["end_us"]) for gap in gaps] == [
        ("network", START_US + 2_000_000, None),
        ("network", START_US + 2_000_000, START_US + 9_000_000),
    ]
    assert gaps[0]["gap_id"] == gaps[1]["gap_id"]


@pytest.mark.parametrize("first_late", [20, 23])  # a keyframe, and one in the middle of a group
@pytest.mark.parametrize("stall_us", [2_500_000, 5_000_000])
def test_pictures_that_stay_away_are_a_gap_although_nothing_broke(
    tmp_path: Path, first_late: int, stall_us: int
) -> None:
    recording = Recording(tmp_path, frames=50)
    late = [_later(packet, stall_us) for packet in stamped(50)[first_late:]]
    keyframe = -(-first_late // 10) * 10

    recording.feed(stamped(50)[:first_late] + late)
    recording.recorder.finish()

    assert [(gap["cause"], gap["end_us"] is None) for gap in recording.of_kind("gap")] == [
        ("camera", True),
        ("camera", False),
    ]
    assert _spans(recording) == [
        (START_US, START_US + first_late * 100_000),
        (START_US + first_late * 100_000, START_US + keyframe * 100_000 + stall_us),  # the gap
        (START_US + keyframe * 100_000 + stall_us, START_US + 5_000_000 + stall_us),
    ]
    assert [len(decoded_numbers(path)) for path in recording.files()] == [first_late, 50 - keyframe]


def test_a_camera_whose_clock_is_counted_anew_has_lost_no_picture(tmp_path: Path) -> None:
    recording = Recording(tmp_path, frames=40)
    recording.feed(stamped(40)[:23])
    recording.recorder.cut(is_counted_anew=True)
    recording.feed([_later(packet, 2_500_000) for packet in stamped(40)[23:]])
    recording.recorder.finish()

    assert recording.of_kind("gap") == []
    assert _spans(recording) == [
        (START_US, START_US + 5_500_000),
        (START_US + 5_500_000, START_US + 6_500_000),
    ]
    assert [len(decoded_numbers(path)) for path in recording.files()] == [30, 10]


@pytest.mark.fault("F12")
def test_a_changed_resolution_begins_a_new_segment(tmp_path: Path) -> None:
    recording = Recording(tmp_path)
    recording.feed(stamped(10))
    recording.recorder.set_coding(Coding(codec_info(width=256), None))
    recording.recorder.set_coding(Coding(codec_info(width=256), None))
    recording.feed(stamped(10, start_us=START_US + 1_000_000, width=256))
    recording.recorder.finish()

    assert [each["width"] for each in recording.of_kind("segment_open")] == [WIDTH, 256]
    assert [len(decoded_numbers(path)) for path in recording.files()] == [10, 10]


def test_sound_stands_beside_the_pictures_at_its_own_time(tmp_path: Path) -> None:
    recording = Recording(tmp_path, audio=AudioFormat(8000, 1))
    packets = stamped(20)
    recording.feed(packets[:5])
    for number, data in enumerate(_aac(10)):
        recording.recorder.add_audio(AudioPiece(data, START_US + 512_000 + number * 128_000, 1024))
    recording.feed(packets[5:])
    recording.recorder.finish()

    (path,) = recording.files()
    with av.open(str(path)) as container:
        sound = [packet for packet in container.demux(audio=0) if packet.size]
    assert len(sound) == 10
    assert abs(float((sound[0].pts or 0) * sound[0].time_base) - 0.512) < 0.001
    assert decoded_numbers(path) == list(range(20))


@pytest.mark.fault("F13")
def test_sound_that_stops_holds_no_picture_back(tmp_path: Path) -> None:
    recording = Recording(tmp_path, audio=AudioFormat(8000, 1), frames=40)
    recording.recorder.add_audio(AudioPiece(_aac(1)[0], START_US, 1024))

    recording.feed(stamped(40))

    durable = recording.of_kind("segment_progress")[-1]
    assert durable["end_us"] >= START_US + 2_000_000


def _spans(recording: Recording) -> list[tuple[int, int]]:
    """Return start and end of all that is recorded, and of all gaps that are over, in order."""
    opened, closed = recording.of_kind("segment_open"), recording.of_kind("segment_close")
    spans = [(one["start_us"], other["end_us"]) for one, other in zip(opened, closed, strict=True)]
    gaps = [gap for gap in recording.of_kind("gap") if gap["end_us"] is not None]
    return sorted([*spans, *((gap["start_us"], gap["end_us"]) for gap in gaps)])


def _later(packet: EncodedPacket, by_us: int) -> EncodedPacket:
    return replace(packet, capture_us=packet.capture_us + by_us)


def _aac(count: int) -> list[bytes]:
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 8000, "mono", "fltp"
    pieces: list[bytes] = []
    number = 0
    while len(pieces) < count:
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate, frame.pts = 8000, number * 1024
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        pieces.extend(bytes(packet) for packet in encoder.encode(frame))
        number += 1
    return pieces[:count]
