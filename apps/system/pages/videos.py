"""Videos: send one in, see how far it is, play it with what was found, delete it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Max, Min, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.accounts.access import Action, Actor, actor_of, may, visible
from apps.accounts.models import Account
from apps.catalog.models import ModelVersion
from apps.core.exceptions import OmmaError
from apps.core.models import TaskState
from apps.core.times import to_us
from apps.recordings.videos import services
from apps.recordings.videos.models import Video
from apps.recordings.videos.progress import VideoProgress, progress_of, progress_of_all
from apps.streams.models import Segment, Stream
from apps.system.pages.durations import duration_words
from apps.system.pages.form_errors import show_error
from apps.system.pages.model_forms import AccountForm
from apps.system.pages.page_access import accounts_with
from apps.system.pages.paging import page_query

_PAGE_SIZE = 24
_MOST_PLAYED = timedelta(hours=1)  # in one clip; the timeline plays all of it
_STATE_WORDS = {
    TaskState.PENDING: gettext_lazy("waiting"),
    TaskState.RUNNING: gettext_lazy("at work"),
    TaskState.DONE: gettext_lazy("ready"),
    TaskState.FAILED: gettext_lazy("failed"),
    TaskState.CANCELLED: gettext_lazy("cancelled"),
}


@dataclass(frozen=True, slots=True)
class VideoRow:
    """One video as the pages show it."""

    row: Video
    progress: VideoProgress
    state_words: str
    length_words: str
    left_words: str
    may_delete: bool

    @property
    def percent(self) -> int:
        is_done = self.progress.state == TaskState.DONE
        return 100 if is_done else min(99, round(self.progress.share * 100))

    @property
    def is_unfinished(self) -> bool:
        return self.progress.state in {TaskState.PENDING, TaskState.RUNNING}


class VideoForm(AccountForm):
    """A video's address, or its file where a script sends it, and what to look for."""

    name = forms.CharField(max_length=120, label=gettext_lazy("Name"))
    file = forms.FileField(required=False, label=gettext_lazy("File"))
    address = forms.CharField(
        required=False, max_length=2083, label=gettext_lazy("Or an address to fetch it from")
    )
    start = forms.DateTimeField(
        required=False,
        label=gettext_lazy("When its first picture was taken (UTC), if you know"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
    )
    models = forms.ModelMultipleChoiceField(
        queryset=ModelVersion.objects.none(),
        required=False,
        label=gettext_lazy("Look for"),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(
        self,
        *args: Any,
        accounts: Sequence[Account],
        versions: "QuerySet[ModelVersion]",
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, accounts=accounts, **kwargs)
        cast("forms.ModelMultipleChoiceField[ModelVersion]", self.fields["models"]).queryset = versions


@require_safe
@login_required
def videos(request: HttpRequest) -> HttpResponse:
    """List the videos, newest first."""
    actor = actor_of(request)
    rows = visible(actor, Action.PLAYBACK, Video.objects.select_related("task").order_by("-created_at"))
    page = Paginator(rows, _PAGE_SIZE).get_page(request.GET.get("page"))
    rows_shown = list(page.object_list)
    known = progress_of_all(rows_shown)
    listed = [_row(actor, row, known[row.pk]) for row in rows_shown]
    context = {
        "page": page,
        "videos": listed,
        "is_busy": any(one.is_unfinished for one in listed),
        "may_add": bool(accounts_with(actor, Action.MANAGE_CAMERAS)),
        "page_query": page_query(request),
    }
    return render(request, "app/videos.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def video_add(request: HttpRequest) -> HttpResponse:
    """Ask for a video: an address here, a file by the script in the page."""
    actor = actor_of(request)
    accounts = accounts_with(actor, Action.MANAGE_CAMERAS)
    if not accounts:
        raise PermissionDenied
    versions = visible(
        actor, Action.VIEW, ModelVersion.objects.select_related("model"), None, "model__account_id"
    ).order_by("model__name", "-version")
    form = VideoForm(request.POST if request.method == "POST" else None, accounts=accounts, versions=versions)
    if request.method == "POST" and form.is_valid():
        try:
            video = _import(actor, form.values())
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("%(name)s is being fetched.") % {"name": video.name})
            return redirect("pages:videos")
    return render(request, "app/video_add.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@login_required
def video(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Play a video, with what was found in it drawn over the pictures."""
    actor = actor_of(request)
    row = _found(actor, video_id)
    span = Segment.objects.filter(stream_id=row.stream_id).aggregate(start=Min("start"), end=Max("end"))
    start, end = span["start"], span["end"]
    is_there = row.camera_id is not None and start is not None
    context = {
        "video": _row(actor, row, progress_of(row)),
        "stream": Stream.objects.filter(pk=row.stream_id).first() if is_there else None,
        "start": start,
        "end": min(end, start + _MOST_PLAYED) if is_there else None,
        "start_us": to_us(start) if is_there else 0,
        "start_text": _text(start) if is_there else "",
        "end_text": _text(min(end, start + _MOST_PLAYED)) if is_there else "",
    }
    return render(request, "app/video.html", context)


@require_POST
@login_required
def video_delete(request: HttpRequest, video_id: UUID) -> HttpResponse:
    """Delete a video with its camera and all that was found in it."""
    actor = actor_of(request)
    row = _found(actor, video_id)
    services.delete_video(actor=actor, video=row)
    messages.success(request, _("%(name)s is deleted.") % {"name": row.name})
    return redirect("pages:videos")


def _import(actor: Actor, values: dict[str, Any]) -> Video:
    wanted = services.NewVideo(
        account=values["account"],
        name=values["name"],
        start=values["start"],
        looks_for=[services.LookFor(version) for version in values["models"]],
    )
    return services.import_address(actor=actor, wanted=wanted, address=values["address"])


def _found(actor: Actor, video_id: UUID) -> Video:
    rows = visible(actor, Action.PLAYBACK, Video.objects.select_related("task", "camera"))
    row = rows.filter(pk=video_id).first()
    if row is None:
        raise Http404
    return row


def _row(actor: Actor, row: Video, progress: VideoProgress) -> VideoRow:
    length_s = row.facts.get("duration_s", 0)
    return VideoRow(
        row=row,
        progress=progress,
        state_words=str(_STATE_WORDS[TaskState(progress.state)]),
        length_words=duration_words(timedelta(seconds=length_s)) if length_s else "",
        left_words=duration_words(timedelta(seconds=progress.left_s)) if progress.left_s else "",
        may_delete=may(actor, Action.MANAGE_CAMERAS, services.resource_of(row)).allowed,
    )


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
