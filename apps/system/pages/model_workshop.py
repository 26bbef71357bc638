"""Bringing models in: uploads and trainings. The browser sends parts; without scripts one form does."""

import hashlib
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from apps.accounts.access import Action, Actor, actor_of, visible
from apps.accounts.models import Account
from apps.catalog import services, trainings, uploads
from apps.catalog.models import ModelUpload, Training, UploadKind
from apps.core.exceptions import OmmaError
from apps.system.pages.form_errors import show_error
from apps.system.pages.model_forms import ModelUploadForm, TrainingForm
from apps.system.pages.page_access import accounts_with
from omma_engine.workshop import training as engine


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def model_add(request: HttpRequest) -> HttpResponse:
    """Take a model's file."""
    actor = actor_of(request)
    form = ModelUploadForm(*_sent(request), accounts=_accounts_or_403(actor))
    if request.method == "POST" and form.is_valid():
        values = form.values()
        account, file = values.pop("account"), values.pop("file")
        wanted = services.NewModel(account_id=account.pk, **values)
        try:
            version = services.import_model(actor=actor, wanted=wanted, chunks=file.chunks())
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("%(name)s can be put on cameras now.") % {"name": version.model.name})
            return redirect("pages:model", model_id=version.model_id)
    return render(request, "app/model_add.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def model_train(request: HttpRequest) -> HttpResponse:
    """Take a dataset, and have a model trained on it."""
    actor = actor_of(request)
    form = TrainingForm(*_sent(request), accounts=_accounts_or_403(actor))
    if request.method == "POST" and form.is_valid():
        values = form.values()
        account, file = values.pop("account"), values.pop("file")
        try:
            upload = _stored_dataset(actor, account, values["name"], file)
            trainings.begin_training(actor=actor, wanted=trainings.NewTraining(upload=upload, **values))
        except OmmaError as error:
            show_error(form, error)
        else:
            messages.success(request, _("The training begins; its progress shows here."))
            return redirect("pages:models")
    context = {"form": form, "missing": engine.missing()}
    return render(request, "app/model_train.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def upload_delete(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Throw away a file that has not come whole."""
    actor = actor_of(request)
    row = visible(actor, Action.MANAGE_MODELS, ModelUpload.objects.all(), None).filter(pk=upload_id).first()
    if row is None:
        raise Http404
    uploads.cancel_upload(actor=actor, upload=row)
    messages.success(request, _("What had come of %(name)s is thrown away.") % {"name": row.name})
    return redirect("pages:models")


@require_POST
@login_required
def training_delete(request: HttpRequest, training_id: UUID) -> HttpResponse:
    """Delete a training and its dataset, or end one that goes on."""
    actor = actor_of(request)
    rows = visible(actor, Action.VIEW, Training.objects.select_related("task"), None)
    row = rows.filter(pk=training_id).first()
    if row is None:
        raise Http404
    trainings.delete_training(actor=actor, training=row)
    messages.success(request, _("The training is deleted; a model that it gave stays."))
    return redirect("pages:models")


def _stored_dataset(actor: Actor, account: Account, name: str, file: "UploadedFile[Any]") -> ModelUpload:
    """Keep a dataset that came in one request, as if it had come in parts."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    wanted = uploads.NewUpload(
        account=account,
        name=name,
        kind=UploadKind.DATASET,
        size_bytes=file.size or 0,
        sha256=digest.hexdigest(),
    )
    upload = uploads.begin_upload(actor=actor, wanted=wanted)
    try:
        for data in file.chunks(uploads.MAX_PART_BYTES):
            upload = uploads.append_part(actor=actor, upload=upload, offset=upload.received_bytes, data=data)
    except OmmaError:
        uploads.forget(upload)
        raise
    return upload


def _sent(request: HttpRequest) -> tuple[Any, Any]:
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def _accounts_or_403(actor: Actor) -> list[Account]:
    accounts = accounts_with(actor, Action.MANAGE_MODELS)
    if not accounts:
        raise PermissionDenied
    return accounts
