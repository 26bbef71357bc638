"""The address that a converted model is downloaded from."""

import os
from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, actor_of, visible
from apps.catalog import files
from apps.catalog.models import ModelConversion
from apps.core.async_database import in_database_thread
from apps.core.exceptions import NotAuthenticatedError, NotVisibleError
from apps.core.http_range import OpenFile, file_response


@require_safe
async def conversion_file(request: HttpRequest, conversion_id: UUID) -> HttpResponseBase:
    """A converted model, in parts if need be; its SHA-256 is the `ETag`."""
    row, file = await _opened(request, conversion_id)
    suffix = row.file.rsplit(".", 1)[-1]
    response = file_response(
        request,
        file,
        etag=row.sha256,
        content_type="application/octet-stream",
        filename=f"{row.version.model.slug}-v{row.version.version}-{row.target}.{suffix}",
    )
    response["X-Content-SHA256"] = row.sha256
    return response


@in_database_thread
def _opened(request: HttpRequest, conversion_id: UUID) -> tuple[ModelConversion, OpenFile]:
    """Authorise and open; the database connection is given back before anything is sent."""
    actor = actor_of(request)
    if not actor.is_authenticated:
        raise NotAuthenticatedError("Log in first.")
    rows = visible(actor, Action.VIEW, ModelConversion.objects.select_related("version__model"), None)
    row = rows.filter(pk=conversion_id).first()
    if row is None or not row.file:
        raise NotVisibleError
    try:
        return row, OpenFile(os.open(files.path_of(row.file), os.O_RDONLY | os.O_CLOEXEC))
    except OSError as exc:
        raise NotVisibleError("The file is gone.") from exc
