"""What is done to analyses: begin, cancel, delete.

    drafts = [draft_analytic(stream=stream, model_version=version, values={"kind": "people_count"})]
    analysis = start_analysis(actor=actor, wanted=NewAnalysis(stream, start, end, analytics=drafts))
    analysis.task                  # core.Task: state, progress 0 to 1, error; its id is the analysis' id
    progress.progress_of(analysis) # the same with speed and the seconds that are left
    results.result_of(analysis)    # what was found, once it is done
    cancel_analysis(actor=actor, analysis=analysis)

A video from a file or an address comes through `apps.recordings.videos.services`, which begins an analysis of
it when it is there.
"""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, require
from apps.accounts.models import Account
from apps.catalog.models import ModelVersion
from apps.core import audit, outbox
from apps.core.exceptions import ConflictError, InvalidInputError
from apps.core.leases import nudge
from apps.core.models import Lease, LeaseKind, Task, TaskState
from apps.inference import services as analytics_services
from apps.inference.analyses.footage import has_footage
from apps.inference.analyses.models import Analysis, AnalysisMode
from apps.inference.models import Analytic, Event, Track
from apps.inference.rule_port import frame_rules, rule_names
from apps.inference.specs import spec_of
from apps.streams.models import Stream
from omma_engine.inference.offline.folders import pictures_folder, work_folder
from omma_engine.inference.spec import AnalyticSpec, encode_analytic
from omma_engine.rules import FrameRule

KIND = "analysis"
LONGEST = timedelta(days=31)
MOST_ANALYTICS = 8
MOST_WAITING = 20
UNFINISHED = [TaskState.PENDING, TaskState.RUNNING]


@dataclass(frozen=True, slots=True)
class NewAnalysis:
    """Analytics (rows, or drafts of `draft_analytic`) over `[start, end)` of a stream.

    `rules` are the conditions to evaluate; None: those of the camera's rules.
    """

    stream: Stream
    start: datetime
    end: datetime
    analytics: Sequence[Analytic]
    name: str = ""
    mode: AnalysisMode = AnalysisMode.STORE
    rules: Sequence[FrameRule] | None = None


def draft_analytic(
    *, stream: Stream, model_version: ModelVersion, name: str = "", values: Mapping[str, Any] | None = None
) -> Analytic:
    """Return an analytic that is not saved: what would be refused of a saved one is refused of it."""
    owner = model_version.model.account_id
    if owner is not None and owner != stream.account_id:
        raise InvalidInputError("There is no such model.", field="model_version")
    draft = Analytic(
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream=stream,
        number=0,
        name=name.strip() or model_version.model.name,
        model_version=model_version,
    )
    analytics_services.check_values(draft, dict(values or {}))
    return draft


@transaction.atomic
def start_analysis(*, actor: Actor, wanted: NewAnalysis) -> Analysis:
    """Begin an analysis; the inference worker takes it up within a second or so."""
    stream = wanted.stream
    require(actor, Action.REVIEW, Resource(stream.account_id, frozenset({stream.camera_id})))
    _check(wanted)
    Account.objects.select_for_update(no_key=True).get(pk=stream.account_id)
    mine = Analysis.objects.filter(account_id=stream.account_id, task__state__in=UNFINISHED)
    if mine.count() >= MOST_WAITING:
        raise ConflictError(f"{MOST_WAITING} analyses are waiting already.", code="too_many_analyses")
    specs = _specs(wanted)
    analysis = Analysis(
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream=stream,
        name=wanted.name.strip()[:200],
        mode=wanted.mode,
        start=wanted.start,
        end=wanted.end,
        specs=[encode_analytic(spec) for spec in specs],
        names=_names(wanted, specs),
        fingerprint=_fingerprint(wanted, specs),
        created_by=actor.user_id,
    )
    analysis.task = _make_task(analysis, actor)
    analysis.save(force_insert=True)
    _tell(actor, analysis, "created")
    nudge(LeaseKind.TASK)
    return analysis


@transaction.atomic
def cancel_analysis(*, actor: Actor, analysis: Analysis) -> Analysis:
    """End an analysis that is not over; what it had found is thrown away."""
    require(actor, Action.REVIEW, resource_of(analysis))
    locked = Analysis.objects.select_for_update().get(pk=analysis.pk)
    changed = Task.objects.filter(pk=locked.pk, state__in=UNFINISHED).update(
        state=TaskState.CANCELLED, finished_at=timezone.now()
    )
    if not changed:
        raise ConflictError("It is over already.")
    forget_finds(locked)
    _tell(actor, locked, "cancelled")
    nudge(LeaseKind.TASK)
    return Analysis.objects.select_related("task").get(pk=locked.pk)


@transaction.atomic
def delete_analysis(*, actor: Actor, analysis: Analysis) -> None:
    """Delete an analysis with all that it found; one that goes on ends."""
    require(actor, Action.REVIEW, resource_of(analysis))
    _tell(actor, analysis, "deleted")
    drop_analysis(analysis)


def drop_analysis(analysis: Analysis) -> None:
    """Delete an analysis with all that it found, in the caller's transaction."""
    Task.objects.filter(pk=analysis.pk, state__in=UNFINISHED).update(
        state=TaskState.CANCELLED, finished_at=timezone.now()
    )
    forget_finds(analysis)
    Analysis.objects.filter(pk=analysis.pk).delete()
    Lease.objects.filter(object_id=analysis.pk, owner="").delete()
    nudge(LeaseKind.TASK)


def forget_finds(analysis: Analysis) -> None:
    """Delete the tracks, events, pictures and boxes of an analysis."""
    Track.objects.filter(analysis_id=analysis.pk).delete()
    Event.objects.filter(analysis_id=analysis.pk).delete()
    transaction.on_commit(lambda: remove_files(analysis.pk))


def remove_files(analysis_id: UUID) -> None:
    """Delete what an analysis left on disk."""
    data_dir = Path(settings.OMMA_DATA_DIR)
    for folder in (data_dir / pictures_folder(analysis_id), work_folder(data_dir, analysis_id)):
        shutil.rmtree(folder, ignore_errors=True)


def resource_of(analysis: Analysis) -> Resource:
    """Return what an analysis is to the access decision."""
    return Resource(analysis.account_id, frozenset({analysis.camera_id}))


def _check(wanted: NewAnalysis) -> None:
    if wanted.end <= wanted.start:
        raise InvalidInputError("The end must be after the start.", field="end")
    if wanted.end - wanted.start > LONGEST:
        raise InvalidInputError(f"Expected at most {LONGEST.days} days.", field="end")
    if wanted.start >= timezone.now():
        raise InvalidInputError("Expected a time that is past.", field="start")
    if not 1 <= len(wanted.analytics) <= MOST_ANALYTICS:
        raise InvalidInputError(f"Expected 1 to {MOST_ANALYTICS} analytics.", field="analytics")
    if any(each.stream_id != wanted.stream.pk for each in wanted.analytics):
        raise InvalidInputError("An analytic is another stream's.", field="analytics")
    if not has_footage(wanted.stream.pk, wanted.start, wanted.end):
        raise InvalidInputError("Nothing that can be read is recorded in this time.", field="start")


def _specs(wanted: NewAnalysis) -> list[AnalyticSpec]:
    known = frame_rules(list(wanted.analytics)) if wanted.rules is None else {}
    return [
        replace(
            spec_of(each, known.get(each.pk, ()) if wanted.rules is None else wanted.rules), first_number=0
        )
        for each in wanted.analytics
    ]


def _names(wanted: NewAnalysis, specs: Sequence[AnalyticSpec]) -> dict[str, str]:
    rules = {rule.rule_id for spec in specs for rule in spec.rules}
    named = {**{each.pk: each.name for each in wanted.analytics}, **rule_names(rules)}
    return {str(key): name for key, name in named.items()}


def _fingerprint(wanted: NewAnalysis, specs: Sequence[AnalyticSpec]) -> str:
    """Return what tells this analysis from others; the ids of drafts, which are new each time, do not."""
    encoded = [encode_analytic(spec) for spec in specs]
    plain = [{**each, "analytic_id": "", "model": {**each["model"], "version_id": ""}} for each in encoded]
    parts = [wanted.mode, wanted.start.isoformat(), wanted.end.isoformat(), plain]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _make_task(analysis: Analysis, actor: Actor) -> Task:
    return Task.objects.create(
        id=analysis.pk,
        kind=KIND,
        unique_key=f"{KIND}:{analysis.pk}",
        account_id=analysis.account_id,
        camera_id=analysis.camera_id,
        created_by=actor.user_id,
        parameters={"mode": analysis.mode},
    )


def _tell(actor: Actor, analysis: Analysis, what: str) -> None:
    audit.record(
        actor.ref(),
        f"analysis.{what}",
        subject_kind="analysis",
        subject_id=analysis.pk,
        subject_name=str(analysis)[:200],
        account_id=analysis.account_id,
        detail={"start": analysis.start.isoformat(), "end": analysis.end.isoformat(), "mode": analysis.mode},
    )
    publish(analysis, f"task.{'created' if what == 'created' else 'updated'}")


def publish(analysis: Analysis, kind: str = "task.updated") -> None:
    """Tell whoever listens that the analysis' task changed."""
    outbox.publish(
        kind,
        subject_kind="task",
        subject_id=analysis.pk,
        account_id=analysis.account_id,
        camera_ids=[analysis.camera_id],
    )
