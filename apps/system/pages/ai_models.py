"""Pages of models: the list, one model with its versions, and what is said about it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.access import Action, Actor, actor_of, require, visible
from apps.catalog import services
from apps.catalog.models import Model
from apps.catalog.services import model_resource
from apps.core.exceptions import ConflictError, OmmaError
from apps.inference.models import Analytic
from apps.streams.models import Stream
from apps.system.pages.form_errors import show_error
from apps.system.pages.model_forms import AttachForm, ModelInfoForm, ParametersForm
from apps.system.pages.model_lines import (
    VersionLine,
    may_manage,
    model_lines,
    training_lines,
    upload_lines,
    version_lines,
)
from apps.system.pages.page_access import may_anywhere


@require_safe
@login_required
def models(request: HttpRequest) -> HttpResponse:
    """List the models, what is being trained, and what is still coming."""
    actor = actor_of(request)
    trainings = training_lines(actor)
    context = {
        "models": model_lines(actor),
        "trainings": trainings,
        "uploads": upload_lines(actor),
        "is_busy": any(one.is_unfinished for one in trainings),
        "may_add": may_anywhere(actor, Action.MANAGE_MODELS),
    }
    return render(request, "app/models.html", context)


@require_safe
@login_required
def model(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Show one model."""
    actor = actor_of(request)
    return model_page(request, actor, model_or_404(actor, model_id))


def model_page(
    request: HttpRequest,
    actor: Actor,
    row: Model,
    *,
    info_form: ModelInfoForm | None = None,
    refused: tuple[UUID, str, object] | None = None,
    delete_error: str = "",
) -> HttpResponse:
    """Return the page of a model, with what was wrong in what was sent.

    `refused` is a version, the kind of its form, and the form.
    """
    manages = may_manage(actor, row)
    streams = visible(
        actor, Action.MANAGE_CAMERAS, Stream.objects.select_related("camera").order_by("camera__name", "name")
    )
    if row.account_id is not None:
        streams = streams.filter(account_id=row.account_id)
    lines = version_lines(actor, row)
    has_streams = streams.exists()
    for line in lines:
        line.forms = _forms(line, streams if has_streams else None, manages=manages)
        if refused is not None and line.row.pk == refused[0]:
            line.forms[refused[1]] = refused[2]
    context = {
        "model": row,
        "versions": lines,
        "used_on": sorted({use.words for line in lines for use in line.uses}),
        "may_manage": manages,
        "may_convert": may_anywhere(actor, Action.MANAGE_MODELS),
        "is_builtin": any(line.row.builtin for line in lines),
        "is_busy": any(work.is_unfinished for line in lines for work in line.conversions),
        "info_form": info_form or ModelInfoForm(None, model=row),
        "refused_form": refused[2] if refused is not None else info_form,
        "delete_error": delete_error,
    }
    is_refused = refused is not None or info_form is not None or bool(delete_error)
    return render(request, "app/model.html", context, status=422 if is_refused else 200)


def _forms(line: VersionLine, streams: Any, *, manages: bool) -> dict[str, object]:
    forms: dict[str, object] = {}
    if streams is not None:
        forms["attach"] = AttachForm(None, version=line.row, streams=streams)
    if manages:
        forms["parameters"] = ParametersForm(None, version=line.row)
    return forms


@require_POST
@login_required
def model_edit(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Change what is said about a model."""
    actor = actor_of(request)
    row = model_or_404(actor, model_id, Action.MANAGE_MODELS)
    form = ModelInfoForm(request.POST, model=row)
    if form.is_valid():
        try:
            services.update_model(actor=actor, model=row, **form.cleaned_data)
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("pages:model", model_id=row.pk)
    return model_page(request, actor, row, info_form=form)


@require_POST
@login_required
def model_delete(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Delete a model, after its name was typed; refused while it works somewhere."""
    actor = actor_of(request)
    row = model_or_404(actor, model_id, Action.MANAGE_MODELS)
    if request.POST.get("name", "").strip() != row.name.strip():
        wrong = _("This is not the model's name; nothing was deleted.")
        return model_page(request, actor, row, delete_error=wrong)
    try:
        services.delete_model(actor=actor, model=row)
    except ConflictError as error:
        return model_page(request, actor, row, delete_error=conflict_words(actor, error))
    messages.success(request, _("%(name)s is deleted.") % {"name": row.name})
    return redirect("pages:models")


def conflict_words(actor: Actor, error: ConflictError) -> str:
    """Return why something is kept, with the cameras that it works on."""
    ids: Any = error.detail.get("analytics", []) if isinstance(error.detail, Mapping) else []
    rows = visible(actor, Action.VIEW, Analytic.objects.filter(pk__in=ids).select_related("camera"))
    names = sorted({row.camera.name for row in rows})
    if not names:
        return error.message
    return _("It is at work on %(cameras)s; take it off there first.") % {"cameras": ", ".join(names)}


def model_or_404(actor: Actor, model_id: UUID, action: Action = Action.VIEW) -> Model:
    """Return a model that the actor may see, after checking the action on it."""
    rows = visible(actor, Action.VIEW, Model.objects.select_related("account"), camera_path=None)
    row = rows.filter(pk=model_id).first()
    if row is None:
        raise Http404
    require(actor, action, model_resource(row))
    return row
