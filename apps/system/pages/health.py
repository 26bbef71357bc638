"""The system page: health, workers, storage and the periodic jobs."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Action, actor_of
from apps.core import periodic
from apps.core.models import Lease, Node, PeriodicJob
from apps.streams.models import Volume
from apps.streams.selectors import used_bytes_by_volume
from apps.system.pages.page_access import may_anywhere
from apps.system.selectors import health_checks


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A worker and how much it runs."""

    name: str
    kind: str
    lease_count: int
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """A volume and how full it is."""

    name: str
    state: str
    get_state_display: str
    used_words: str
    percent: int


@require_safe
@login_required
def system(request: HttpRequest) -> HttpResponse:
    """Show how Omma is: for those who may see the system, with workers, storage and jobs."""
    actor = actor_of(request)
    may_see = may_anywhere(actor, Action.SEE_SYSTEM)
    context = {
        "version": settings.OMMA_VERSION,
        "checks": health_checks(),
        "may_see": may_see,
        "nodes": _node_rows() if may_see else [],
        "volumes": _volume_rows() if may_see else [],
        "jobs": PeriodicJob.objects.order_by("title") if may_see else [],
        "may_run_jobs": actor.is_superuser,
    }
    return render(request, "app/system.html", context)


def _node_rows() -> list[NodeRow]:
    owners = list(Lease.objects.exclude(owner="").values_list("owner", flat=True))
    return [
        NodeRow(name=node.name, kind=node.kind, lease_count=owners.count(node.name), seen_at=node.seen_at)
        for node in Node.objects.order_by("name")
    ]


def _volume_rows() -> list[VolumeRow]:
    used = used_bytes_by_volume()
    rows = []
    for volume in Volume.objects.order_by("name"):
        taken, limit = used.get(volume.id, 0), volume.max_bytes
        words = filesizeformat(taken)
        rows.append(
            VolumeRow(
                name=volume.name,
                state=volume.state,
                get_state_display=volume.get_state_display(),
                used_words=_("%(used)s of %(limit)s") % {"used": words, "limit": filesizeformat(limit)}
                if limit
                else words,
                percent=min(100, round(100 * taken / limit)) if limit else 0,
            )
        )
    return rows


@require_POST
@login_required
def job_run(request: HttpRequest, name: str) -> HttpResponse:
    """Run a periodic job now."""
    actor = actor_of(request)
    if not actor.is_superuser:
        raise PermissionDenied
    if not PeriodicJob.objects.filter(pk=name).exists():
        raise Http404
    periodic.run_now(name)
    messages.success(request, _("The job is on its way; its result appears here."))
    return redirect("pages:system")
