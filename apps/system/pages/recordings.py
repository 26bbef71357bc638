"""Pages of recordings: the list with filters, one that plays, and the buttons beside it."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Action, Actor, Resource, actor_of, may, require, visible
from apps.core.exceptions import OmmaError
from apps.recordings import services
from apps.recordings.addresses import video_address
from apps.recordings.models import Recording
from apps.streams.models import Stream
from apps.system.pages.durations import duration_words, percent
from apps.system.pages.page_access import camera_or_404
from apps.system.pages.paging import CursorPage, cursor_page
from apps.system.pages.recording_filters import RecordingFilterForm, filtered_recordings

_PAGE_SIZE = 24


@require_safe
@login_required
def recordings(request: HttpRequest) -> HttpResponse:
    """List recordings, newest first."""
    actor = actor_of(request)
    form = RecordingFilterForm(request.GET, actor=actor)
    shown = visible(actor, Action.PLAYBACK, Recording.objects.select_related("camera"))
    found = filtered_recordings(request, form, shown).order_by(*form.order)
    page = cursor_page(request, found, _PAGE_SIZE)
    for recording in page.rows:
        recording.duration_words = duration_words(recording.end - recording.start)
        recording.percent = percent(recording.confidence)
        recording.may_record = may(actor, Action.RECORD, _resource(recording)).allowed
    context = {
        "page": page,
        "count_words": _count_words(page),
        "filter_form": form,
        "is_filtered": form.is_filtered,
        "here": request.get_full_path(),
    }
    return render(request, "app/recordings.html", context, status=422 if form.errors else 200)


def _count_words(page: CursorPage) -> str:
    """Return how many there are where one page shows them all: counting more would read them all."""
    if page.count is None or page.has_more_than_count:
        return ""
    return ngettext("%(count)d recording", "%(count)d recordings", page.count) % {"count": page.count}


def _recording_or_404(actor: Actor, recording_id: UUID, action: Action = Action.PLAYBACK) -> Recording:
    rows = visible(actor, Action.PLAYBACK, Recording.objects.select_related("camera"))
    recording = rows.filter(pk=recording_id).first()
    if recording is None:
        raise Http404
    require(actor, action, _resource(recording))
    return recording


def _resource(recording: Recording) -> Resource:
    return Resource(account_id=recording.account_id, camera_ids=frozenset({recording.camera_id}))


@require_safe
@login_required
def recording(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Play one recording."""
    actor = actor_of(request)
    row = _recording_or_404(actor, recording_id)
    row.duration_words = duration_words(row.end - row.start)  # type: ignore[attr-defined]  # for the template
    row.percent = percent(row.confidence)  # type: ignore[attr-defined]  # for the template
    context = {
        "recording": row,
        "video_address": video_address(row),
        "may_record": may(actor, Action.RECORD, _resource(row)).allowed,
    }
    return render(request, "app/recording.html", context)


@require_POST
@login_required
def record(request: HttpRequest, stream_id: UUID) -> HttpResponse:
    """Start recording a stream now."""
    actor = actor_of(request)
    stream = Stream.objects.filter(pk=stream_id).first()
    if stream is None:
        raise Http404
    camera_or_404(actor, stream.camera_id, Action.RECORD)
    is_partial = request.headers.get("HX-Request") == "true"
    try:
        row = services.start_recording(actor=actor, stream=stream)
    except OmmaError as error:
        if is_partial:
            return HttpResponse(error.message, status=error.status, content_type="text/plain")
        messages.error(request, error.message)
        return redirect("pages:camera", camera_id=stream.camera_id)
    return HttpResponse(status=204) if is_partial else redirect("pages:recording", recording_id=row.id)


@require_POST
@login_required
def recording_stop(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """End a growing recording."""
    actor = actor_of(request)
    row = _recording_or_404(actor, recording_id, Action.RECORD)
    services.stop_recording(actor=actor, recording=row)
    return redirect("pages:recording", recording_id=row.id)


@require_POST
@login_required
def recording_hold(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Hold a recording against retention, or release it."""
    actor = actor_of(request)
    row = _recording_or_404(actor, recording_id, Action.RECORD)
    if row.is_held:
        services.release_recording(actor=actor, recording=row)
        messages.success(request, _("Released: retention may remove it."))
    else:
        services.hold_recording(actor=actor, recording=row)
        messages.success(request, _("Held: retention will not remove it."))
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/app/"):
        return redirect(back)
    return redirect("pages:recording", recording_id=row.id)


@require_POST
@login_required
def recording_delete(request: HttpRequest, recording_id: UUID) -> HttpResponse:
    """Delete a recording; its footage goes with retention."""
    actor = actor_of(request)
    row = _recording_or_404(actor, recording_id, Action.RECORD)
    try:
        services.delete_recording(actor=actor, recording=row)
    except OmmaError as error:
        messages.error(request, error.message)
        return redirect("pages:recording", recording_id=row.id)
    messages.success(request, _("The recording is deleted."))
    return redirect("pages:recordings")
