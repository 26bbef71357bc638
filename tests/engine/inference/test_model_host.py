"""The host as a process, end to end: packets in, tracks, matches, pictures and live results out."""

import hashlib
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from omma_engine.detect.spec import ModelSpec
from omma_engine.rules import FrameRule, encode_rule
from tests.engine.detect.tiny_onnx import picture_with, tiny_bytes
from tests.engine.inference.driver import MOTION, PEOPLE, HostDriver, analytic
from tests.engine.inference.recorded import write_video

RULE = UUID(int=7)
StartHost = Callable[..., HostDriver]


@pytest.fixture
def start_host(tmp_path: Path) -> Iterator[StartHost]:
    """Return what starts a host that plays videos, numbered as streams from 1, at some speed."""
    hosts: list[HostDriver] = []

    def start(*videos: Path, speed: float = 4.0) -> HostDriver:
        for number, video in enumerate(videos, start=1):
            shutil.copy(video, tmp_path / f"{UUID(int=number)}.mp4")
        hosts.append(HostDriver(tmp_path, speed=speed))
        return hosts[-1]

    yield start
    for host in hosts:
        host.close()


def closed(host: HostDriver, label: str) -> bool:
    return any(news["label"] == label for news in host.news("track_close"))


def test_a_visit_becomes_a_track_a_match_and_pictures(start_host: StartHost, visit_video: Path) -> None:
    host = start_host(visit_video)
    person = FrameRule(RULE, frozenset({"person"}), min_confidence=0.5, min_duration_s=1.0)
    host.add(analytic(1, PEOPLE, rules=(person,), first_number=41), epoch=5)
    host.add(analytic(1, MOTION))

    host.listen_until(lambda host: closed(host, "person") and closed(host, "motion"))
    status = host.stop()

    assert status == 0
    assert host.heard[-1] == {"say": "bye", "reason": "planned"}
    (track,) = [news for news in host.news("track_close") if news["label"] == "person"]
    assert track["number"] == 41
    assert track["confidence"] > 0.9
    assert 8e6 < track["end_us"] - track["start_us"] < 12.5e6
    assert track["path"][-1][1] - track["path"][0][1] > 0.6
    phases = [news["phase"] for news in host.news("match")]
    assert phases[0] == "start"
    assert phases[-1] == "end"
    assert set(phases[1:-1]) == {"update"}
    (match,) = [news for news in host.news("match") if news["phase"] == "start"]
    assert match["until_us"] - match["at_us"] >= 1_000_000
    for name in (track["crop"], match["snapshot"]):
        assert (host.folder / name).read_bytes().startswith(b"\xff\xd8\xff")
    people = [one for one in host.results() if any(box["label"] == "person" for box in one["boxes"])]
    assert len(people) > 10  # about 60 where nothing else runs; a busy machine looks less often
    assert {box["track"] for one in people for box in one["boxes"]} <= {41, None}
    assert all(0 <= side <= 1 for one in people for box in one["boxes"] for side in box["box"])
    own = [m for m in host.heard if m["say"] == "news" and m["epoch"] == 5]
    assert [m["sequence"] for m in own] == list(range(1, len(own) + 1))


def test_an_uploaded_model_finds_shapes_in_several_streams_at_once(
    start_host: StartHost, tmp_path: Path
) -> None:
    content = tiny_bytes(batch="n")
    path = tmp_path / "tiny.onnx"
    path.write_bytes(content)
    model = ModelSpec("tiny-1", file=str(path), sha256=hashlib.sha256(content).hexdigest())
    pictures = [picture_with(("red", 8 + 4 * (index // 12), 24), scale=4) for index in range(60)]
    videos = [write_video(tmp_path / f"shapes{n}.mp4", pictures, gop=10) for n in range(2)]
    host = start_host(*videos)
    for stream in (1, 2):
        host.add(analytic(stream, model, min_confidence=0.3, labels=frozenset({"red"})))

    host.listen_until(lambda host: len({news["label"] for news in host.news("track_open")}) == 1)
    host.listen_until(lambda host: len(host.news("track_open")) >= 2)

    streams = {one["stream_id"] for one in host.results() if one["boxes"]}
    assert streams == {str(UUID(int=1)), str(UUID(int=2))}


def test_a_bad_model_and_a_bad_stream_harm_nobody_else(
    start_host: StartHost, visit_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"junk")
    bad = ModelSpec("bad", file=str(tmp_path / "bad.onnx"), sha256=hashlib.sha256(b"junk").hexdigest())
    garbage = tmp_path / "garbage.mp4"
    garbage.write_bytes(b"no video")
    host = start_host(visit_video, garbage)
    host.add(analytic(1, bad))
    host.add(analytic(2, MOTION))
    host.add(analytic(1, MOTION))

    host.listen_until(lambda host: bool(host.news("track_open")))

    details = {news["detail"] for news in host.news("status") if news["status"] == "failed"}
    assert any("cannot be loaded" in detail for detail in details)
    assert host.process.poll() is None


def test_changed_rules_end_their_matches_and_tracks_go_on(start_host: StartHost, visit_video: Path) -> None:
    host = start_host(visit_video, speed=2)
    spec = analytic(1, MOTION, rules=(FrameRule(RULE),))
    host.add(spec)
    host.listen_until(lambda host: bool(host.news("match")))

    other = encode_rule(FrameRule(UUID(int=8), frozenset({"motion"})))
    host.send({"do": "rules", "analytic_id": str(spec.analytic_id), "rules": [other]})
    host.listen_until(lambda host: any(news["rule_id"] == other["rule_id"] for news in host.news("match")))

    old = [news for news in host.news("match") if news["rule_id"] == str(RULE)]
    new = [news for news in host.news("match") if news["rule_id"] == other["rule_id"]]
    assert [old[-1]["phase"], new[0]["phase"]] == ["end", "start"]
    assert old[0]["track_id"] == new[0]["track_id"]
    assert host.news("track_close") == []


def test_removing_an_analytic_closes_what_it_followed(start_host: StartHost, visit_video: Path) -> None:
    host = start_host(visit_video, speed=2)
    spec = analytic(1, MOTION, rules=(FrameRule(RULE),))
    host.add(spec)
    host.listen_until(lambda host: bool(host.news("match")))

    host.send({"do": "remove", "analytic_id": str(spec.analytic_id)})
    host.listen_until(lambda host: bool(host.news("track_close")))

    assert [news["phase"] for news in host.news("match")][-1] == "end"
    assert host.process.poll() is None


def test_a_host_leaves_when_its_supervisor_is_gone(start_host: StartHost, quiet_video: Path) -> None:
    host = start_host(quiet_video)
    host.add(analytic(1, MOTION))
    host.listen_until(lambda host: bool(host.news("status")))
    began_s = time.monotonic()

    host.hang_up()

    assert host.process.wait(timeout=5) == 0
    assert time.monotonic() - began_s < 3


def test_a_terminated_host_says_goodbye(start_host: StartHost, quiet_video: Path) -> None:
    host = start_host(quiet_video)
    host.add(analytic(1, MOTION))
    host.listen_until(lambda host: bool(host.news("status")))

    host.process.send_signal(signal.SIGTERM)
    host.listen_until(lambda host: host.heard[-1]["say"] == "bye", timeout_s=5)

    assert host.process.wait(timeout=5) == 0


def test_words_that_mean_nothing_are_survived(start_host: StartHost, quiet_video: Path) -> None:
    host = start_host(quiet_video)
    host.send({"do": "dance"})
    host.send({"do": "add", "analytic": {"analytic_id": 1}, "epoch": 1})
    host.add(analytic(1, MOTION))

    host.listen_until(lambda host: any(news["status"] == "running" for news in host.news("status")))

    assert np.all([message["say"] in {"beat", "news"} for message in host.heard])
