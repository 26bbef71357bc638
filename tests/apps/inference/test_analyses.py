"""Analyses of what is recorded: real processes, a real database, and footage made for the test."""

import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.access import system_actor
from apps.catalog.services import builtin_version
from apps.core.exceptions import ConflictError, InvalidInputError
from apps.core.models import Lease, Task
from apps.inference.analyses import results, services
from apps.inference.analyses.hosting import analysis_supervisor
from apps.inference.analyses.models import Analysis, AnalysisMode
from apps.inference.analyses.progress import progress_of
from apps.inference.analyses.services import NewAnalysis, draft_analytic, start_analysis
from apps.inference.models import Event, MinuteSummary, Track
from apps.streams.models import Stream
from omma_engine.rules import FrameRule
from omma_engine.supervise import Supervisor
from tests.apps.inference.conftest import Wait
from tests.apps.inference.footage import START, store_footage
from tests.apps.inference.rows import make_stream
from tests.apps.inference.test_supervised_hosts import RULE, host_pids
from tests.factories import make_account

LENGTH = timedelta(seconds=10)
PERSON_SEEN = FrameRule(RULE, frozenset({"person"}), min_confidence=0.5)


@pytest.fixture
def stream(transactional_db: Any, data_dir: Path, short_visit: Path, tmp_path: Path) -> Stream:
    """Return a stream whose past holds a short visit."""
    made = make_stream(make_account())
    store_footage(made, short_visit, tmp_path)
    return made


@pytest.fixture
def supervisor(stream: Stream) -> Iterator[Supervisor]:
    one = analysis_supervisor("test", slots=1)
    one.start()
    yield one
    one.stop()


def begin(stream: Stream, *models: str, **changes: Any) -> Analysis:
    drafts = [draft_analytic(stream=stream, model_version=builtin_version(each)) for each in models]
    wanted = NewAnalysis(stream, START, START + LENGTH, analytics=drafts, rules=[PERSON_SEEN], **changes)
    return start_analysis(actor=system_actor(), wanted=wanted)


def is_over(analysis: Analysis) -> Callable[[], bool]:
    return lambda: Task.objects.filter(pk=analysis.pk, finished_at__isnull=False).exists()


def found(analysis: Analysis) -> tuple[list[Any], list[Any]]:
    """Return tracks and events of an analysis, without what chance or its own key gives them."""
    tracks = Track.objects.filter(analysis_id=analysis.pk).order_by("start", "number")
    events = Event.objects.filter(analysis_id=analysis.pk).order_by("start")
    return (
        [*tracks.values_list("label", "number", "start", "end", "hits", "confidence", "best_box", "path")],
        [*events.values_list("label", "start", "end", "confidence", "box", "cause_id")],
    )


def test_the_past_yields_tracks_events_minutes_and_pictures_that_name_the_analysis(
    stream: Stream, supervisor: Supervisor, wait_until: Wait, data_dir: Path
) -> None:
    analysis = begin(stream, "people", "motion", name="What was it?")

    wait_until(is_over(analysis))

    analysis = Analysis.objects.select_related("task").get(pk=analysis.pk)
    assert (progress_of(analysis).state, progress_of(analysis).error) == ("done", "")
    assert progress_of(analysis).share == 1.0
    labels = set(Track.objects.filter(analysis_id=analysis.pk).values_list("label", flat=True))
    assert labels == {"person", "motion"}
    event = Event.objects.get(kind="rule")
    assert (event.analysis_id, event.cause_id, event.stream_id) == (analysis.pk, RULE, stream.id)
    assert START < event.start < (event.end or START) <= START + LENGTH
    assert (data_dir / event.snapshot).read_bytes().startswith(b"\xff\xd8")
    assert not Track.objects.filter(is_live=True).exists()
    assert MinuteSummary.objects.get(stream_id=stream.id).labels["person"] >= 1
    result = results.result_of(analysis)
    assert sum(each["tracks"].get("person", 0) for each in result["analytics"]) >= 1
    assert result["unreadable_files"] == result["decode_errors"] == 0
    assert [match["event_id"] for match in result["matches"]] == [str(event.id)]
    boxes = results.boxes_of(analysis, start_us=0, end_us=1 << 60)
    assert "person" in {box["label"] for line in boxes for box in line["boxes"]}


def test_the_same_analysis_again_finds_the_same_and_replaces_the_first(
    stream: Stream, supervisor: Supervisor, wait_until: Wait, data_dir: Path
) -> None:
    first = begin(stream, "people", "motion")
    wait_until(is_over(first))
    before = found(first)

    second = begin(stream, "people", "motion")
    other = begin(stream, "motion")
    wait_until(is_over(second))
    wait_until(is_over(other))

    assert before == found(second)
    assert before[0]
    assert set(Analysis.objects.values_list("pk", flat=True)) == {second.pk, other.pk}
    assert not Track.objects.filter(analysis_id=first.pk).exists()
    assert {folder.name for folder in (data_dir / "analyses").iterdir()} == {str(second.pk), str(other.pk)}


def test_a_killed_process_is_followed_by_another_and_nothing_is_found_twice(
    stream: Stream, supervisor: Supervisor, wait_until: Wait
) -> None:
    whole = begin(stream, "people", name="whole")
    wait_until(is_over(whole))
    kept = found(whole)
    Task.objects.filter(pk=whole.pk).update(kind="kept")

    broken = begin(stream, "people", mode=AnalysisMode.STORE, name="broken")
    wait_until(lambda: Task.objects.filter(pk=broken.pk, state="running").exists())
    os.kill(host_pids(supervisor)[str(broken.pk)], signal.SIGKILL)
    wait_until(is_over(broken))

    assert Task.objects.get(pk=broken.pk).state == "done"
    assert Task.objects.get(pk=broken.pk).attempts == 2
    assert found(broken) == kept


def test_a_back_test_stores_nothing_but_its_result(
    stream: Stream, supervisor: Supervisor, wait_until: Wait, data_dir: Path
) -> None:
    analysis = begin(stream, "people", mode=AnalysisMode.BACKTEST)

    wait_until(is_over(analysis))

    analysis.refresh_from_db()
    assert (Track.objects.count(), Event.objects.count(), MinuteSummary.objects.count()) == (0, 0, 0)
    assert not (data_dir / "thumbnails").exists()
    (match,) = analysis.result["matches"]
    assert (match["rule_id"], match["label"]) == (str(RULE), "person")


def test_what_is_cancelled_or_deleted_leaves_nothing(
    stream: Stream, supervisor: Supervisor, wait_until: Wait, data_dir: Path
) -> None:
    analysis = begin(stream, "people")
    wait_until(lambda: Task.objects.filter(pk=analysis.pk, state="running").exists())

    services.cancel_analysis(actor=system_actor(), analysis=analysis)
    wait_until(lambda: not host_pids(supervisor))

    assert Task.objects.get(pk=analysis.pk).state == "cancelled"
    with pytest.raises(ConflictError):
        results.result_of(Analysis.objects.get(pk=analysis.pk))
    services.delete_analysis(actor=system_actor(), analysis=analysis)
    assert (Analysis.objects.count(), Track.objects.count()) == (0, 0)
    assert not [*(data_dir / "analyses").iterdir()]
    wait_until(lambda: not Lease.objects.exclude(owner="").exists())


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": START}, "end"),
        ({"end": START + timedelta(days=40)}, "end"),
        ({"start": START + timedelta(days=1), "end": START + timedelta(days=2)}, "start"),
        ({"analytics": []}, "analytics"),
    ],
)
def test_what_cannot_be_analysed_is_refused_at_its_field(
    stream: Stream, changes: dict[str, Any], field: str
) -> None:
    drafts = [draft_analytic(stream=stream, model_version=builtin_version("people"))]
    values = {"start": START, "end": START + LENGTH, "analytics": drafts, **changes}

    with pytest.raises(InvalidInputError) as refused:
        start_analysis(actor=system_actor(), wanted=NewAnalysis(stream, **values))

    assert list(refused.value.fields) == [field]
    assert (Analysis.objects.count(), Task.objects.count()) == (0, 0)
