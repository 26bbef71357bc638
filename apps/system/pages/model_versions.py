"""What people do to versions of models: default parameters, deleting, attaching, converting."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.accounts.access import Action, Actor, actor_of, require, visible
from apps.accounts.selectors import account_for_writing
from apps.catalog import conversions, versions
from apps.catalog.models import ModelConversion, ModelVersion
from apps.catalog.services import model_resource
from apps.core.exceptions import ConflictError, OmmaError
from apps.inference import services as inference_services
from apps.inference.models import Analytic
from apps.streams.models import Stream
from apps.system.pages.ai_models import conflict_words, model_page
from apps.system.pages.form_errors import show_error
from apps.system.pages.model_forms import AttachForm, ParametersForm
from apps.system.pages.page_access import camera_or_404


@require_POST
@login_required
def version_parameters(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Set a version's default parameters."""
    actor = actor_of(request)
    version = _version_or_404(actor, version_id, Action.MANAGE_MODELS)
    form = ParametersForm(request.POST, version=version)
    if form.is_valid():
        try:
            versions.update_version(actor=actor, version=version, parameters=form.parameters())
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("Saved; what has no parameters of its own begins anew with these."))
            return redirect("pages:model", model_id=version.model_id)
    return model_page(request, actor, version.model, refused=(version.pk, "parameters", form))


@require_POST
@login_required
def version_delete(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Delete one version and its file."""
    actor = actor_of(request)
    version = _version_or_404(actor, version_id, Action.MANAGE_MODELS)
    try:
        versions.delete_version(actor=actor, version=version)
    except ConflictError as error:
        messages.error(request, conflict_words(actor, error))
    else:
        messages.success(request, _("Version %(n)d is deleted.") % {"n": version.version})
    return redirect("pages:model", model_id=version.model_id)


@require_POST
@login_required
def version_attach(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Put a version to work on a camera."""
    actor = actor_of(request)
    version = _version_or_404(actor, version_id, Action.VIEW)
    streams = visible(actor, Action.MANAGE_CAMERAS, Stream.objects.select_related("camera"))
    if not streams.exists():
        raise PermissionDenied
    form = AttachForm(request.POST, version=version, streams=streams)
    if form.is_valid():
        stream = form.cleaned_data["stream"]
        wanted = inference_services.NewAnalytic(stream=stream, model_version=version, values=form.analytic())
        try:
            inference_services.create_analytic(actor=actor, wanted=wanted)
        except OmmaError as error:
            show_error(form, error)
        else:
            words = {"model": version.model.name, "camera": stream.camera.name}
            messages.success(request, _("%(model)s starts on %(camera)s.") % words)
            return redirect("pages:camera", camera_id=stream.camera_id)
    return model_page(request, actor, version.model, refused=(version.pk, "attach", form))


@require_POST
@login_required
def analytic_delete(request: HttpRequest, analytic_id: UUID) -> HttpResponse:
    """Take a model off a camera; what it found stays."""
    actor = actor_of(request)
    analytic = Analytic.objects.filter(pk=analytic_id).first()
    if analytic is None:
        raise Http404
    camera_or_404(actor, analytic.camera_id, Action.MANAGE_CAMERAS)
    inference_services.delete_analytic(actor=actor, analytic=analytic)
    messages.success(request, _("%(name)s is taken off; what it found stays.") % {"name": analytic.name})
    return redirect("pages:camera", camera_id=analytic.camera_id)


@require_POST
@login_required
def version_convert(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Have a version made into another format."""
    actor = actor_of(request)
    version = _version_or_404(actor, version_id, Action.VIEW)
    try:
        account = account_for_writing(actor, Action.MANAGE_MODELS, version.model.account_id)
        conversions.begin_conversion(
            actor=actor, account=account, version=version, target=request.POST.get("target", "")
        )
    except OmmaError as error:
        if error.status == 403:
            raise
        messages.error(request, error.message)
    else:
        messages.success(request, _("The conversion is being made; its progress shows here."))
    return redirect("pages:model", model_id=version.model_id)


@require_POST
@login_required
def conversion_delete(request: HttpRequest, conversion_id: UUID) -> HttpResponse:
    """Delete a conversion, or end one that is being made."""
    actor = actor_of(request)
    rows = visible(actor, Action.VIEW, ModelConversion.objects.select_related("version", "task"), None)
    row = rows.filter(pk=conversion_id).first()
    if row is None:
        raise Http404
    conversions.delete_conversion(actor=actor, conversion=row)
    messages.success(request, _("The conversion is deleted; the model stays."))
    return redirect("pages:model", model_id=row.version.model_id)


def _version_or_404(actor: Actor, version_id: UUID, action: Action) -> ModelVersion:
    rows = visible(
        actor, Action.VIEW, ModelVersion.objects.select_related("model__account"), None, "model__account_id"
    )
    row = rows.filter(pk=version_id).first()
    if row is None:
        raise Http404
    require(actor, action, model_resource(row.model))
    return row
