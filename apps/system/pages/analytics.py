"""The page of an analytic."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from apps.accounts.access import Action, Actor, actor_of
from apps.core.exceptions import OmmaError
from apps.inference import services
from apps.inference.models import Analytic
from apps.system.pages.analytic_form import FIELD_OF, AnalyticForm
from apps.system.pages.form_errors import show_error
from apps.system.pages.page_access import camera_or_404


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def analytic(request: HttpRequest, analytic_id: UUID) -> HttpResponse:
    """Change what an analytic looks for, where and when."""
    actor = actor_of(request)
    row = _analytic_or_404(actor, analytic_id)
    form = AnalyticForm(request.POST if request.method == "POST" else None, analytic=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.update_analytic(actor=actor, analytic=row, values=form.changes())
        except OmmaError as error:
            show_error(form, error, FIELD_OF)
        else:
            messages.success(request, _("Saved."))
            return redirect("pages:camera", camera_id=row.camera_id)
    context = {"form": form, "analytic": row, "stream": row.stream}
    return render(request, "app/analytic.html", context, status=422 if form.errors else 200)


def _analytic_or_404(actor: Actor, analytic_id: UUID) -> Analytic:
    rows = Analytic.objects.select_related("stream", "camera", "model_version__model")
    row = rows.filter(pk=analytic_id).first()
    if row is None:
        raise Http404
    camera_or_404(actor, row.camera_id, Action.MANAGE_CAMERAS)
    return row
