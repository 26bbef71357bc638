"""Analysing footage: as a live host at its own pace, and as an analysis as fast as it goes.

The same clip goes through both, with the same models. Tracks are the same where label and time overlap to
half or more; F1 is over all of them. Speed is seconds of footage a second, on one core.
"""

import hashlib
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from omma_engine.detect.spec import ModelSpec
from omma_engine.importing.job import ImportJob, import_video
from omma_engine.inference.offline.analysis import Analysis
from omma_engine.inference.offline.spec import AnalysisSpec, FootageFile
from omma_engine.inference.spec import AnalyticSpec
from tests.bench.report import Row
from tests.engine.inference.driver import HostDriver
from tests.engine.inference.recorded import START_US

_SHARED = Path(os.environ.get("OMMA_SHARED_DIR", Path(__file__).parents[3] / "shared"))
MODEL = _SHARED / "models" / "fastestdet-coco.onnx"
VIDEO = _SHARED / "media" / "one-by-one-person-detection.mp4"
STREAM = UUID(int=1)
_F1_GOAL, _SPEED_GOAL = 0.99, 3.0
_SAME_SHARE = 0.5
_AFTER_S = 15.0  # the last tracks close, and the scene is quiet


@dataclass(frozen=True, slots=True)
class Span:
    """A track, as far as it is compared."""

    label: str
    start_us: int
    end_us: int

    def overlaps(self, other: "Span") -> bool:
        shared_us = min(self.end_us, other.end_us) - max(self.start_us, other.start_us)
        whole_us = max(self.end_us, other.end_us) - min(self.start_us, other.start_us)
        return self.label == other.label and shared_us >= _SAME_SHARE * max(whole_us, 1)


def measure() -> list[Row]:
    """Run the clip offline twice and live once."""
    if not (VIDEO.exists() and MODEL.exists()):
        return [Row("live against offline", None, "", note="not run: the shared media are not here")]
    with tempfile.TemporaryDirectory(prefix="omma-bench-") as name:
        folder = Path(name)
        footage = _footage(folder)
        first, speed = _offline(folder / "first", footage)
        again, _ = _offline(folder / "again", footage)
        live, dropped = _live(folder)
    score = f1(first, live)
    return [
        Row(
            "tracks that live and offline do not share (1 - F1)",
            1 - score,
            "",
            1 - _F1_GOAL,
            note=f"F1 {score:.4f}, {len(live)} tracks against {len(first)}; live dropped {dropped} pictures",
        ),
        Row("a repeated analysis finds other tracks (1: yes)", float(first != again), "", 0.0),
        Row(
            "time to analyse persons and motion, of the footage's",
            1 / speed,
            "x",
            1 / _SPEED_GOAL,
            note=f"{speed:.1f} x real time on one core",
        ),
    ]


def f1(found: list[Span], wanted: list[Span]) -> float:
    """Return how well two lists of tracks agree: each is matched at most once."""
    left = list(wanted)
    hits = 0
    for span in found:
        partner = next((other for other in left if span.overlaps(other)), None)
        if partner is not None:
            left.remove(partner)
            hits += 1
    return 2 * hits / max(1, len(found) + len(wanted))


def _analytics() -> tuple[AnalyticSpec, ...]:
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    models = (
        ModelSpec(version_id="coco-1", file=str(MODEL), sha256=digest, runtime="onnx"),
        ModelSpec(version_id="motion-1", builtin="motion"),
    )
    return tuple(
        AnalyticSpec(
            analytic_id=UUID(int=number),
            stream_id=STREAM,
            model=model,
            rate_fps=5.0,
            min_confidence=0.4,
            labels=frozenset({"person", "motion"}),
        )
        for number, model in enumerate(models, start=1)
    )


def _footage(folder: Path) -> list[FootageFile]:
    job = ImportJob(VIDEO, folder, "v", STREAM, START_US)
    told = json.loads(import_video(job, folder, lambda _share: None).read_text())["news"]
    opened = [news for news in told if news["kind"] == "segment_open"]
    closed = {news["segment_id"]: news for news in told if news["kind"] == "segment_close"}
    return [
        FootageFile(
            root=str(folder),
            path=news["path"],
            start_us=news["start_us"],
            end_us=closed[news["segment_id"]]["end_us"],
            init_size=news["init_size"],
            durable_bytes=closed[news["segment_id"]]["durable_bytes"],
        )
        for news in opened
    ]


def _offline(folder: Path, footage: list[FootageFile]) -> tuple[list[Span], float]:
    news: list[dict[str, Any]] = []
    spec = AnalysisSpec(
        UUID(int=9), STREAM, footage[0].start_us, footage[-1].end_us, "", _analytics(), keeps_pictures=False
    )
    began_s = time.process_time()
    analysis = Analysis(spec, footage, data_dir=folder, say=news.append)
    while analysis.advance():
        pass
    analysis.close()
    speed = analysis.total_us / 1e6 / (time.process_time() - began_s)
    return _spans(news), speed


def _live(folder: Path) -> tuple[list[Span], int]:
    """Play the clip to a model host at its own pace, as a camera does."""
    (folder / f"{STREAM}.mp4").symlink_to(VIDEO)
    driver = HostDriver(folder, speed=1.0)
    try:
        for spec in _analytics():
            driver.add(spec)
        length_s = 140.0 + _AFTER_S
        began_s = time.monotonic()
        driver.listen_until(lambda _: time.monotonic() - began_s > length_s, timeout_s=length_s + 30)
        driver.stop()
        dropped = max((each["dropped"] for each in driver.news("status")), default=0)
        return _spans(driver.news("track_close")), dropped
    finally:
        driver.close()


def _spans(news: list[dict[str, Any]]) -> list[Span]:
    tracks = [each for each in news if each["kind"] == "track_close"]
    spans = [Span(each["label"], each["start_us"], each["end_us"]) for each in tracks]
    return sorted(spans, key=lambda span: (span.start_us, span.label, span.end_us))
