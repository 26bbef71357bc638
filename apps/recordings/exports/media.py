"""The addresses that exports are fetched from."""

import os
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from apps.accounts.access import Action, Resource, actor_of, require
from apps.core.exceptions import NotVisibleError
from apps.core.http_range import OpenFile, file_response
from apps.recordings.bodies import MP4
from apps.recordings.clips import release_connection
from apps.recordings.exports.places import video_path, zip_path
from apps.recordings.exports.services import resource_of_export
from apps.recordings.media_access import still_allowed
from apps.recordings.models import Export, ExportKind, ExportState


@require_safe
async def export_file(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """A finished export as one zip, to be fetched in parts if need be."""
    export, file = await sync_to_async(_opened)(request, export_id, ExportKind.ZIP)
    name = export.name or f"Export {export.start:%Y-%m-%d %H-%M}"
    return file_response(
        request,
        file,
        etag=f"{export.pk.hex}-{export.manifest_sha256[:16]}",
        content_type="application/zip",
        filename=f"{name}.zip",
        still_allowed=still_allowed(request, resource_of_export(export)),
    )


@require_safe
async def timelapse_file(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """A finished time-lapse; `download=1` saves it."""
    export, file = await sync_to_async(_opened)(request, export_id, ExportKind.TIMELAPSE)
    name = export.name or f"Time-lapse {export.start:%Y-%m-%d %H-%M}"
    return file_response(
        request,
        file,
        etag=f"{export.pk.hex}-{export.size_bytes}",
        content_type=MP4,
        filename=f"{name}.mp4" if request.GET.get("download") == "1" else None,
        still_allowed=still_allowed(request, resource_of_export(export)),
    )


def _opened(request: HttpRequest, export_id: UUID, kind: ExportKind) -> tuple[Export, OpenFile]:
    try:
        actor = actor_of(request)
        export = Export.objects.filter(pk=export_id, kind=kind).first()
        if export is None and actor.is_superuser:
            raise NotVisibleError
        require(actor, Action.PLAYBACK, Resource(None) if export is None else resource_of_export(export))
        if export is None or export.state != ExportState.DONE:
            raise NotVisibleError("This export is not finished.")
        try:
            path = zip_path(export.pk) if kind == ExportKind.ZIP else video_path(export.pk)
            return export, OpenFile(os.open(path, os.O_RDONLY | os.O_CLOEXEC), export.size_bytes)
        except FileNotFoundError as error:
            raise NotVisibleError("This export's file is gone.") from error
    finally:
        release_connection()
