"""Another model on a running analytic: tried first, and the last good one comes back when it fails."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings

from apps.accounts.access import system_actor
from apps.catalog import files
from apps.catalog.models import ModelVersion
from apps.catalog.services import NewModel, import_model
from apps.core.exceptions import InvalidInputError
from apps.core.models import AuditEntry
from apps.inference.models import Analytic
from apps.inference.services import update_analytic
from apps.inference.sinks import InferenceSink
from omma_engine.ports import NewsItem
from tests.apps.inference.rows import START_US, Host, hold_lease, make_analytic, make_stream
from tests.engine.detect.tiny_onnx import tiny_bytes
from tests.factories import make_account

pytestmark = pytest.mark.django_db
SINK = InferenceSink()


@pytest.fixture(autouse=True)
def _folder(settings: LazySettings, tmp_path: Path) -> None:
    settings.OMMA_DATA_DIR = tmp_path


@pytest.fixture
def analytic() -> Analytic:
    row = make_analytic(make_stream(make_account()))
    hold_lease(row)
    return row


def imported(**changes: Any) -> ModelVersion:
    wanted = NewModel(name="Shapes")
    return import_model(actor=system_actor(), wanted=wanted, chunks=[tiny_bytes(**changes)])


def swap(analytic: Analytic, version: ModelVersion) -> Analytic:
    return update_analytic(actor=system_actor(), analytic=analytic, values={"model_version": version})


def said(host: Host, status: str, version: ModelVersion, detail: str = "") -> NewsItem:
    return host.say(
        kind="status", status=status, detail=detail, analysed_fps=0.0, dropped=0, at_us=START_US,
        version=str(version.pk),
    )  # fmt: skip


def test_a_version_that_cannot_run_is_refused_and_the_old_one_stays(analytic: Analytic) -> None:
    before, bad = analytic.model_version_id, imported()
    files.path_of(bad.file).write_bytes(b"rotten since")

    with pytest.raises(InvalidInputError, match="not the one that was imported"):
        swap(analytic, bad)

    analytic.refresh_from_db()
    assert (analytic.model_version_id, analytic.previous_version_id) == (before, None)


def test_a_version_that_runs_is_kept(analytic: Analytic) -> None:
    before, new = analytic.model_version, imported()

    swap(analytic, new)
    analytic.refresh_from_db()
    assert (analytic.model_version, analytic.previous_version) == (new, before)
    SINK.commit([said(Host(analytic), "running", new)])

    analytic.refresh_from_db()
    assert (analytic.model_version, analytic.previous_version) == (new, None)


def test_a_version_that_fails_here_gives_way_to_the_last_good_one(analytic: Analytic) -> None:
    before, new = analytic.model_version, imported()
    swap(analytic, new)
    host = Host(analytic)

    SINK.commit([said(host, "waiting", new), said(host, "failed", new, "no memory")])

    analytic.refresh_from_db()
    assert (analytic.model_version, analytic.previous_version) == (before, None)
    assert analytic.status_detail == "Shapes v1 cannot run, People v1 goes on: no memory"
    entry = AuditEntry.objects.get(action="analytic.went_back")
    assert entry.detail["reason"] == "no memory"


def test_what_the_old_version_still_says_decides_nothing(analytic: Analytic) -> None:
    before, new = analytic.model_version, imported()
    swap(analytic, new)
    host = Host(analytic)

    SINK.commit([said(host, "running", before), said(host, "failed", before, "it was stopped")])

    analytic.refresh_from_db()
    assert (analytic.model_version, analytic.previous_version) == (new, before)


def test_a_second_swap_before_the_first_one_ran_goes_back_to_the_one_that_ran(analytic: Analytic) -> None:
    before, first = analytic.model_version, imported()
    second = imported(batch="n")
    swap(analytic, first)
    analytic.refresh_from_db()
    swap(analytic, second)
    analytic.refresh_from_db()

    SINK.commit([said(Host(analytic), "failed", second)])

    analytic.refresh_from_db()
    assert analytic.model_version == before
