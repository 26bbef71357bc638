"""What clients do to streams: create, replace, remove, stop and resume. Each is whole, or nothing is done."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.db import transaction

from apps.accounts.access import Action, Resource, require
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.cameras.services import add_camera, delete_camera, update_camera
from apps.dialects.luna.analytics import Wanted, wanted_analytics
from apps.dialects.luna.callbacks import set_stream_callbacks
from apps.dialects.luna.callers import Caller
from apps.dialects.luna.downloads import fetched
from apps.dialects.luna.errors import CONFLICT, LunaError, stream_not_found
from apps.dialects.luna.kept_files import discard
from apps.dialects.luna.models import LunaStream
from apps.dialects.luna.references import Reference, reference_of
from apps.dialects.luna.streams import shown_reference
from apps.dialects.luna.wording import naming, without_secrets
from apps.inference.models import Analytic
from apps.inference.services import NewAnalytic, create_analytic, delete_analytic
from apps.streams.life_services import RestartPolicy, resume_source, set_restart_policy, stop_source
from apps.streams.models import Source, Stream

_KEPT = ("description", "location", "event_source_group", "source", "autorestart")
_FIELDS = {"address": "data.reference", "driver": "data.type", "options": "data", "name": "name"}
_ANALYTIC_FIELDS = {
    "schedule": "schedules", "regions": "parameters.roi", "counting": "parameters", "label": "label",
    "rate_fps": "parameters.rate", "labels": "parameters.labels",
}  # fmt: skip
MAX_RESTARTS = 1000


def create_stream(caller: Caller, account: Account, body: Mapping[str, Any]) -> Stream:
    """Make a camera with one stream, on which exactly the given analytics run."""
    require(caller.actor, Action.MANAGE_CAMERAS, Resource(account.pk))
    with _readable(caller, account, body) as reference:
        return _create(caller, account, body, reference)


def replace_stream(caller: Caller, stream: Stream, body: Mapping[str, Any]) -> Stream:
    """Put another description in the place of a stream's; it stays the same stream, one version later."""
    require(caller.actor, Action.MANAGE_CAMERAS, _resource(stream))
    _refuse_siblings(stream)
    with _readable(caller, stream.account, body) as reference:
        return _replace(caller, stream, body, reference)


def remove_stream(caller: Caller, stream: Stream) -> None:
    """Remove a stream with its camera, and all that was recorded of it."""
    require(caller.actor, Action.MANAGE_CAMERAS, _resource(stream))
    _refuse_siblings(stream)
    delete_camera(actor=caller.actor, camera=stream.camera)


def patch_stream(caller: Caller, stream: Stream, action: str) -> int:
    """Stop or resume; return how many streams changed, 0 where there was nothing to do."""
    change = stop_source if action == "stop" else resume_source
    try:
        return int(change(actor=caller.actor, source=stream.source))
    except Source.DoesNotExist as error:
        raise stream_not_found(stream.pk) from error


@contextmanager
def _readable(caller: Caller, account: Account, body: Mapping[str, Any]) -> Iterator[Reference]:
    """Yield what a stream is read from; a video is fetched first, and deleted after a failure."""
    wanted_analytics(caller, account, body["analytics"], body["data"])  # before anything is fetched
    reference = reference_of(body["data"])
    if not reference.is_download:
        yield reference
        return
    file = fetched(reference.address, body["data"])
    try:
        yield replace(reference, address=str(file), is_download=False)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


@transaction.atomic
def _create(caller: Caller, account: Account, body: Mapping[str, Any], reference: Reference) -> Stream:
    wanted = wanted_analytics(caller, account, body["analytics"], body["data"])
    with naming(_FIELDS):
        camera = add_camera(
            actor=caller.actor,
            account=account,
            name=body.get("name", "stream"),
            address=reference.address,
            driver=reference.driver,
            options=reference.options,
            is_armed=False,
            may_be_away=True,
        )
    stream = Stream.objects.select_related("camera", "source").get(camera=camera)
    _attach(caller, stream, wanted)
    luna = LunaStream(stream=stream)
    _keep(luna, body)
    luna.save(force_insert=True)
    set_stream_callbacks(caller, stream, body)
    _set_restarts(caller, stream.source, body)
    return stream


@transaction.atomic
def _replace(caller: Caller, stream: Stream, body: Mapping[str, Any], reference: Reference) -> Stream:
    luna = LunaStream.objects.select_for_update().filter(stream=stream).first()
    wanted = wanted_analytics(caller, stream.account, body["analytics"], body["data"])
    changes = {
        "name": body.get("name", "stream"),
        "address": reference.address,
        "driver": reference.driver,
        "options": {**_place(stream.camera), **reference.options},
    }
    discard(stream.camera.address)
    with naming(_FIELDS):
        update_camera(actor=caller.actor, camera=stream.camera, changes=changes, may_be_away=True)
    for analytic in Analytic.objects.filter(stream=stream).order_by("id"):
        delete_analytic(actor=caller.actor, analytic=analytic)
    _attach(caller, stream, wanted)
    luna = luna or LunaStream(stream=stream, version=1)
    luna.version += 1
    _keep(luna, body)
    luna.save()
    set_stream_callbacks(caller, stream, body)
    _set_restarts(caller, stream.source, body)
    resume_source(actor=caller.actor, source=stream.source)
    return stream


def _attach(caller: Caller, stream: Stream, wanted: Sequence[Wanted]) -> None:
    """Attach analytics; their numbers count from 0, as the client's indexes do."""
    for number, one in enumerate(wanted):
        paths = {ours: f"analytics.{number}.{theirs}" for ours, theirs in _ANALYTIC_FIELDS.items()}
        new = NewAnalytic(stream=stream, model_version=one.model_version, name=one.name, values=one.values)
        with naming(paths):
            create_analytic(actor=caller.actor, wanted=new)


def _keep(luna: LunaStream, body: Mapping[str, Any]) -> None:
    """Keep the client's words, without what is secret in them."""
    for name in _KEPT:
        setattr(luna, name, body.get(name, "" if name == "description" else None))
    luna.data = {**body["data"], "reference": shown_reference(body["data"]["reference"])}
    luna.analytics = without_secrets(body["analytics"])
    luna.notification_policy = without_secrets(body.get("notification_policy"))
    luna.groups = body.get("groups", [])
    luna.splittable = bool(body.get("splittable", False))


def _set_restarts(caller: Caller, source: Source, body: Mapping[str, Any]) -> None:
    """Say what happens after failures; without a word about it the stream is tried again and again."""
    wanted = body.get("autorestart")
    if not wanted:
        policy = RestartPolicy()
    elif not wanted.get("restart", 0):
        policy = RestartPolicy(limit=0)
    else:
        limit = min(int(wanted.get("attempt_count", 10)), MAX_RESTARTS)
        policy = RestartPolicy(limit=limit, delay_s=float(wanted.get("delay", 60)))
    set_restart_policy(actor=caller.actor, source=source, policy=policy)


def _refuse_siblings(stream: Stream) -> None:
    """Refuse to touch a camera with other streams, which the client would not expect to change."""
    if Stream.objects.filter(camera_id=stream.camera_id).exclude(pk=stream.pk).exists():
        raise LunaError(CONFLICT, f"Stream with id {stream.pk} belongs to a camera with several streams")


def _place(camera: Camera) -> dict[str, Any]:
    """Return the options that say where a camera's worker is: the client knows nothing of them."""
    return {name: value for name, value in camera.options.items() if name in {"labels", "single_session"}}


def _resource(stream: Stream) -> Resource:
    return Resource(stream.account_id, frozenset({stream.camera_id}))
