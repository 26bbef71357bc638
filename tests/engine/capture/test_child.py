"""A capture child as its supervisor sees it: beats, news, and every way in which it ends."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omma_engine.capture.journal import pending
from omma_engine.record.index import read_index
from omma_engine.record.recover import recover_segment
from omma_engine.types import RecordMode, SourceKind
from tests.engine.capture.driving import EPOCH, ExecDriver, ZygoteDriver, kill, source_spec
from tests.engine.coded import decoded_numbers, make_volume, write_file


@pytest.fixture(scope="module")
def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_volume(tmp_path_factory.mktemp("volume"))


@pytest.fixture(scope="module")
def zygote(volume: Path) -> Iterator[ZygoteDriver]:
    with ZygoteDriver(volume) as zygote:
        yield zygote


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_file(tmp_path_factory.mktemp("clip") / "clip.mp4", frames=20)


def test_a_looping_file_is_recorded_without_a_break(zygote: ZygoteDriver, volume: Path, clip: Path) -> None:
    child = zygote.fork()
    child.start(source_spec(volume, SourceKind.FILE, str(clip), segment_s=2, loop=True))

    child.wait(lambda: len(child.news("segment_close")) == 2)
    child.tell({"do": "stop", "reason": "planned"})
    child.wait_gone()

    assert zygote.hear() == {"say": "exit", "id": "source", "pid": child.pid, "status": 0}
    assert child.heard[-1] == {"say": "bye", "reason": "planned"}
    assert child.states() == ["connecting", "live", "stopped"]
    assert child.news("gap") == []
    opened, closed = child.news("segment_open"), child.news("segment_close")
    for before, after in zip(closed, opened[1:], strict=False):
        assert before["end_us"] == after["start_us"]
    first = volume / opened[0]["path"]
    assert decoded_numbers(first) == list(range(20))
    assert opened[0]["epoch"] == EPOCH
    assert str(read_index(first).label.epoch) in first.name
    assert [each["sequence"] for each in child.heard if each["say"] == "news"] == list(
        range(1, 1 + sum(each["say"] == "news" for each in child.heard))
    )


def test_beats_carry_the_figures(zygote: ZygoteDriver, volume: Path, clip: Path) -> None:
    child = zygote.fork()
    child.start(source_spec(volume, SourceKind.FILE, str(clip), loop=True))

    child.wait(lambda: len(child.beats_heard()) >= 5)
    kill(child.pid)
    zygote.hear()

    beat = child.beats_heard()[-1]
    assert beat["state"] == "live"
    assert 8 <= beat["frame_rate"] <= 12
    assert beat["packets"] >= 10
    assert beat["bitrate_bps"] > 0
    assert abs(beat["last_packet_us"] / 1_000_000 - time.time()) < 3


def test_a_killed_child_loses_less_than_a_second(zygote: ZygoteDriver, volume: Path, clip: Path) -> None:
    child = zygote.fork()
    spec = source_spec(volume, SourceKind.FILE, str(clip), loop=True)
    child.start(spec)
    child.wait(lambda: len(child.news("segment_progress")) >= 2)
    child.listen_for(0.7)

    killed_us = time.time_ns() // 1000
    kill(child.pid)

    assert zygote.hear() == {"say": "exit", "id": "source", "pid": child.pid, "status": -9}
    path = volume / child.news("segment_open")[0]["path"]
    found = recover_segment(path)
    assert killed_us - found.end_us <= 1_000_000
    assert decoded_numbers(path) == [number % 20 for number in range(found.index.frame_count)]
    (left,) = [each for each in pending(volume) if each.source_id == spec.source_id]
    assert [item.payload["kind"] for item in left.items][:4] == [
        "state",
        "state",
        "segment_open",
        "segment_progress",
    ]


def test_acknowledged_news_are_not_told_again(zygote: ZygoteDriver, volume: Path, clip: Path) -> None:
    child = zygote.fork()
    spec = source_spec(volume, SourceKind.FILE, str(clip), mode=RecordMode.OFF, loop=True)
    child.start(spec)
    child.wait(lambda: "live" in child.states())

    child.tell({"do": "ack", "sequence": 3})
    child.tell({"do": "stop"})
    child.wait_gone()
    zygote.hear()

    (left,) = [each for each in pending(volume) if each.source_id == spec.source_id]
    assert [item.payload.get("cause", item.payload.get("state")) for item in left.items] == [
        "policy",
        "stopped",
    ]


def test_a_mode_change_needs_no_restart(zygote: ZygoteDriver, volume: Path, clip: Path) -> None:
    child = zygote.fork()
    spec = source_spec(volume, SourceKind.FILE, str(clip), mode=RecordMode.OFF, loop=True)
    child.start(spec)
    child.wait(lambda: "live" in child.states())

    child.tell({"do": "mode", "stream_id": str(spec.streams[0].stream_id), "mode": "events"})
    child.wait(lambda: bool(child.news("segment_open")))
    kill(child.pid)
    zygote.hear()

    assert child.news("segment_open")[0]["is_transient"]
    started, ended = child.news("gap")
    assert ended["gap_id"] == started["gap_id"]
    assert ended["end_us"] == child.news("segment_open")[0]["start_us"]


@pytest.mark.parametrize("how", ["line closed", "term"])
def test_every_orderly_end_closes_the_segment(
    zygote: ZygoteDriver, volume: Path, clip: Path, how: str
) -> None:
    child = zygote.fork()
    child.start(source_spec(volume, SourceKind.FILE, str(clip), loop=True))
    child.wait(lambda: bool(child.news("segment_open")))
    path = volume / child.news("segment_open")[0]["path"]

    began = time.monotonic()
    if how == "term":
        os.kill(child.pid, signal.SIGTERM)
    else:
        child.line.close()

    assert zygote.hear()["status"] == 0
    assert time.monotonic() - began < 3
    assert recover_segment(path).cut_bytes == 0


def test_a_silent_supervisor_is_left_after_five_seconds(
    zygote: ZygoteDriver, volume: Path, clip: Path
) -> None:
    child = zygote.fork()
    child.start(source_spec(volume, SourceKind.FILE, str(clip), loop=True))
    child.wait(lambda: "live" in child.states())
    child.beats = False

    began = time.monotonic()
    child.wait_gone()

    assert zygote.hear()["status"] == 0
    assert 4 < time.monotonic() - began < 7
    assert child.heard[-1]["reason"] == "the supervisor is silent"


def test_a_file_that_ends_says_so_and_the_child_stays(zygote: ZygoteDriver, volume: Path, clip: Path) -> None:
    child = zygote.fork()
    child.start(source_spec(volume, SourceKind.FILE, str(clip)))

    child.wait(lambda: "ended" in child.states())
    child.listen_for(0.6)

    assert not child.is_gone
    assert child.news("gap") == []
    closed = child.news("segment_close")
    assert len(closed) == 1
    assert len(decoded_numbers(volume / child.news("segment_open")[0]["path"])) == 20
    kill(child.pid)
    zygote.hear()


def test_a_raw_source_runs_in_a_process_of_its_own(volume: Path) -> None:
    with ExecDriver(volume) as child:
        child.start(
            source_spec(
                volume, SourceKind.SYNTHETIC, "synthetic:yard?width=320&height=240&fps=10", segment_s=60
            )
        )
        child.wait(lambda: len(child.news("segment_progress")) >= 2)
        child.tell({"do": "stop"})
        child.wait_gone()

    (opened,) = child.news("segment_open")
    assert (opened["codec"], opened["width"], opened["height"], opened["clock"]) == (
        "h264",
        320,
        240,
        "arrival",
    )
    assert len(decoded_numbers(volume / opened["path"])) >= 15


def test_children_die_with_their_zygote(volume: Path, clip: Path) -> None:
    with ZygoteDriver(volume) as zygote:
        child = zygote.fork()
        child.start(source_spec(volume, SourceKind.FILE, str(clip), loop=True))
        child.wait(lambda: "live" in child.states())

        zygote.process.kill()
        child.wait_gone(2)
