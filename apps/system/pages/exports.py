"""Exports: the list with progress and failures, asking for one, and deleting one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Action, Actor, actor_of, may, visible
from apps.cameras.models import Camera
from apps.core.exceptions import OmmaError
from apps.recordings.exports import services
from apps.recordings.exports.services import camera_ids_of, resource_of_export
from apps.recordings.exports.timelapses import MIN_EVERY_S, Pace, create_timelapse
from apps.recordings.models import Export, ExportKind, ExportState
from apps.streams.models import Stream
from apps.system.pages.durations import duration_words
from apps.system.pages.export_form import ExportForm
from apps.system.pages.form_errors import show_error
from apps.system.pages.paging import page_query
from apps.system.pages.selection_form import SelectionForm
from apps.system.pages.stream_choice import chosen_streams

_PAGE_SIZE = 24
_TIMELAPSE_PICTURES = 500  # 20 s of them
_STATE_WORDS = {
    ExportState.PENDING: "waiting",
    ExportState.RUNNING: "being made",
    ExportState.DONE: "ready",
    ExportState.FAILED: "failed",
}


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One export as the list shows it."""

    row: Export
    title: str
    camera_words: str
    length_words: str
    state_words: str
    percent: int
    missing_words: str
    may_delete: bool
    address: str

    @property
    def is_timelapse(self) -> bool:
        return self.row.kind == ExportKind.TIMELAPSE

    @property
    def is_unfinished(self) -> bool:
        return self.row.state in {ExportState.PENDING, ExportState.RUNNING}


@require_safe
@login_required
def exports(request: HttpRequest) -> HttpResponse:
    """List the exports, newest first."""
    actor = actor_of(request)
    rows = visible(
        actor,
        Action.PLAYBACK,
        Export.objects.select_related("task").order_by("-created_at", "-id"),
        camera_path="camera_ids",
    )
    page = Paginator(rows, _PAGE_SIZE).get_page(request.GET.get("page"))
    listed = _rows(actor, list(page.object_list))
    context = {
        "page": page,
        "exports": listed,
        "is_busy": any(one.is_unfinished for one in listed),
        "page_query": page_query(request),
    }
    return render(request, "app/exports.html", context)


def _rows(actor: Actor, rows: Sequence[Export]) -> list[ExportRow]:
    wanted = {camera_id for row in rows for camera_id in camera_ids_of(row)}
    names = dict(Camera.objects.filter(pk__in=wanted).values_list("pk", "name"))
    return [_row(actor, row, names) for row in rows]


def _row(actor: Actor, row: Export, names: dict[UUID, str]) -> ExportRow:
    state = ExportState(row.state)
    is_own = row.created_by is not None and row.created_by == actor.user_id
    delete = Action.PLAYBACK if is_own else Action.RECORD
    progress = row.task.progress if row.task is not None else 0.0
    cameras = [names.get(camera_id, _("a camera that is gone")) for camera_id in camera_ids_of(row)]
    return ExportRow(
        row=row,
        title=row.name or ", ".join(cameras),
        camera_words=", ".join(cameras) if row.name else "",
        length_words=duration_words(row.end - row.start),
        state_words=_(_STATE_WORDS[state]),
        percent=100 if state is ExportState.DONE else min(99, round(progress * 100)),
        missing_words=duration_words(timedelta(seconds=row.gap_s)) if row.gap_s >= 1 else "",
        may_delete=may(actor, delete, resource_of_export(row)).allowed,
        address=reverse("media-export" if row.kind == ExportKind.ZIP else "media-timelapse", args=[row.pk]),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def export_add(request: HttpRequest) -> HttpResponse:
    """Ask for an export of several cameras over one stretch of time."""
    actor = actor_of(request)
    streams = visible(
        actor, Action.PLAYBACK, Stream.objects.select_related("account", "camera").order_by("camera__name")
    )
    form = ExportForm(request.POST if request.method == "POST" else None, streams=streams)
    if request.method == "POST" and form.is_valid():
        try:
            services.create_export(actor=actor, **form.cleaned_data)
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("The export is being made; its progress shows here."))
            return redirect("pages:exports")
    return render(request, "app/export_add.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required
def timelapse_add(request: HttpRequest) -> HttpResponse:
    """Have a short video made of a stretch of each stream."""
    actor = actor_of(request)
    streams = chosen_streams(request, actor)
    form = SelectionForm(request.POST)
    if not streams or not form.is_valid():
        messages.error(request, _("Choose cameras and a stretch of time first."))
        return redirect("pages:timeline")
    start, end = form.cleaned_data["start"], form.cleaned_data["end"]
    for stream in streams:
        pace = Pace(every_s=max(MIN_EVERY_S, (end - start).total_seconds() / _TIMELAPSE_PICTURES))
        try:
            create_timelapse(actor=actor, stream=stream, start=start, end=end, pace=pace)
        except OmmaError as error:
            messages.error(request, f"{stream.camera.name}: {error.message}")
        else:
            messages.success(
                request, _("%(name)s: the time-lapse is being made.") % {"name": stream.camera.name}
            )
    return redirect("pages:exports")


@require_POST
@login_required
def export_delete(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Delete an export and its file; the footage stays."""
    actor = actor_of(request)
    rows = visible(actor, Action.PLAYBACK, Export.objects.select_related("task"), camera_path="camera_ids")
    row = rows.filter(pk=export_id).first()
    if row is None:
        raise Http404
    services.delete_export(actor=actor, export=row)
    messages.success(request, _("The export is deleted; the footage stays."))
    return redirect("pages:exports")
