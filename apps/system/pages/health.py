"""The system page: health, workers, storage and the periodic jobs."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import actor_of
from apps.core.models import PeriodicJob
from apps.system import services
from apps.system.health import health_checks
from apps.system.pages.durations import schedule_words
from apps.system.pages.system_tabs import system_tabs
from apps.system.pages.volume_lines import volume_lines
from apps.system.selectors import may_see_system, node_rows


@require_safe
@login_required
def system(request: HttpRequest) -> HttpResponse:
    """Show how Omma is; who administers an account also sees workers, storage and jobs."""
    actor = actor_of(request)
    may_see = may_see_system(actor)
    jobs = list(PeriodicJob.objects.order_by("title")) if may_see else []
    for job in jobs:
        job.schedule_words = schedule_words(job.schedule)  # type: ignore[attr-defined]  # for the template
    context = {
        "version": settings.OMMA_VERSION,
        "checks": health_checks(),
        "may_see": may_see,
        "nodes": node_rows() if may_see else [],
        "volumes": volume_lines() if may_see else [],
        "jobs": jobs,
        "may_run_jobs": actor.is_superuser,
        "tabs": system_tabs(actor),
    }
    return render(request, "app/system.html", context)


@require_POST
@login_required
def job_run(request: HttpRequest, name: str) -> HttpResponse:
    """Run a periodic job now."""
    actor = actor_of(request)
    job = PeriodicJob.objects.filter(pk=name).first()
    if job is None or not may_see_system(actor):
        raise Http404
    services.run_job_now(actor=actor, job=job)
    messages.success(request, _("The job is on its way; its result appears here."))
    return redirect("pages:system")
