"""Streams as Luna's clients see them: every stream that the caller may see, whoever added it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.access import Action, visible
from apps.cameras.models import Driver
from apps.dialects.luna.analytics import PEOPLE_COUNT
from apps.dialects.luna.callers import Caller
from apps.dialects.luna.errors import stream_not_found
from apps.dialects.luna.models import LunaStream
from apps.dialects.luna.statuses import number_of
from apps.dialects.luna.times import time_text
from apps.inference.models import Analytic, AnalyticKind
from apps.streams.life import Life
from apps.streams.models import Stream
from omma_engine.redaction import redact

TARGETS = (
    "stream_id", "account_id", "name", "description", "data", "location", "source", "event_source_group",
    "version", "create_time", "last_error", "groups", "status", "splittable", "analytics",
    "notification_policy", "autorestart",
)  # fmt: skip
DEFAULT_TARGETS = tuple(name for name in TARGETS if name not in {"event_source_group", "autorestart"})
_LOGIN_IN_ADDRESS = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.-]*://)[^/?#]*@")
_TYPES = {Driver.FILE.value: "videofile"}
_FAILING = {Life.FAILURE, Life.RESTART}


def streams_for(
    caller: Caller, account_id: UUID | None = None, action: Action = Action.VIEW
) -> QuerySet[Stream]:
    """Return the streams that this agent shows, of one owner where that is said."""
    rows = visible(caller.actor, action, Stream.objects.all())
    for wanted in (caller.account_id, account_id):
        if wanted is not None:
            rows = rows.filter(account_id=wanted)
    return rows.select_related("camera", "source", "luna")


def stream_for(caller: Caller, stream_id: UUID, account_id: UUID | None = None) -> Stream:
    """Return one stream; absent and somebody else's are the same `LunaError`."""
    stream = streams_for(caller, account_id).filter(pk=stream_id).first()
    if stream is None:
        raise stream_not_found(stream_id)
    return stream


def luna_of(stream: Stream) -> LunaStream | None:
    """Return what a client said of a stream, if one made it."""
    found: LunaStream | None = getattr(stream, "luna", None)
    return found


def shown_reference(reference: str) -> str:
    """Return an address as it may be shown: without its login, and nothing secret in it.

    >>> shown_reference("rtsp://admin:pw@10.0.0.5/main")
    'rtsp://10.0.0.5/main'
    """
    return redact(_LOGIN_IN_ADDRESS.sub(r"\1", reference.strip()))


def represent(stream: Stream, targets: Sequence[str]) -> dict[str, Any]:
    """Return the fields that are wanted of a stream."""
    values = {**_facts(stream), **_words(stream, luna_of(stream), targets)}
    return {name: values[name] for name in targets}


def _facts(stream: Stream) -> dict[str, Any]:
    source = stream.source
    error = source.life_detail or source.life_code
    return {
        "stream_id": str(stream.pk),
        "account_id": str(stream.account_id),
        "name": stream.camera.name,
        "create_time": time_text(stream.created_at),
        "last_error": error or None if source.life in _FAILING else None,
        "status": number_of(source.life),
    }


def _words(stream: Stream, luna: LunaStream | None, targets: Sequence[str]) -> dict[str, Any]:
    if luna is None:
        analytics = analytics_on(stream) if "analytics" in targets else []
        return {**_words_of(LunaStream(data=_data_of(stream))), "analytics": analytics}
    return _words_of(luna)


def _words_of(luna: LunaStream) -> dict[str, Any]:
    return {
        "description": luna.description,
        "data": luna.data,
        "location": luna.location,
        "source": luna.source,
        "event_source_group": luna.event_source_group,
        "version": luna.version,
        "groups": luna.groups,
        "splittable": luna.splittable,
        "analytics": luna.analytics,
        "notification_policy": luna.notification_policy,
        "autorestart": luna.autorestart,
    }


def _data_of(stream: Stream) -> Mapping[str, Any]:
    """Return what the client would have said, of a stream that was added in another way."""
    camera = stream.camera
    kind = _TYPES.get(camera.driver, "stream")
    if camera.driver == Driver.RTSP:
        kind = camera.options.get("transport", "tcp")
    data = {"type": kind, "reference": shown_reference(stream.source.address or camera.address)}
    return data | ({"endless": bool(camera.options.get("loop"))} if kind == "videofile" else {})


def analytics_on(stream: Stream) -> list[dict[str, Any]]:
    """Return what runs on a stream, in the order of its numbers; `with_analytics` reads it for many."""
    return [_analytic(row) for row in sorted(stream.analytics.all(), key=lambda one: one.number)]


def with_analytics(rows: QuerySet[Stream], targets: Sequence[str]) -> QuerySet[Stream]:
    """Return rows that have read along what runs on them, where that is wanted."""
    return rows.prefetch_related("analytics__model_version__model") if "analytics" in targets else rows


def _analytic(row: Analytic) -> dict[str, Any]:
    is_count = row.kind == AnalyticKind.PEOPLE_COUNT
    return {
        "analytic_name": PEOPLE_COUNT if is_count else row.model_version.model.slug,
        "label": row.label or row.name,
        "schedules": row.schedule,
        "parameters": {"labels": row.labels, "min_confidence": row.min_confidence},
    }
