"""What this agent is: its id, analytics, streams, plugins, version, and whether what it stands on answers."""

import time
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from django.db.models import Count, Sum

from apps.cameras.models import Driver
from apps.catalog.builtins import BUILTINS
from apps.catalog.models import Runtime
from apps.core.exceptions import UnavailableError
from apps.core.models import Node
from apps.dialects.luna.analytics import PEOPLE_COUNT, PEOPLE_TARGETS, models_for
from apps.dialects.luna.callers import Caller
from apps.dialects.luna.models import LunaStream
from apps.dialects.luna.statuses import status_numbers
from apps.dialects.luna.streams import streams_for
from apps.streams.volumes import installation_id
from apps.system.health import HealthCheck, health_checks
from omma_engine.workshop.converters import GROUP, converters

VERSION = {"api": 1, "major": 1, "minor": 28, "patch": 0}  # of the protocol that is spoken here
OWN_SERVERS = frozenset({"database", "broker", "bus"})


def agent_info(caller: Caller) -> dict[str, Any]:
    """Return what the agent can do, and how much of it it does; only streams that may be seen are counted."""
    streams = streams_for(caller).order_by()
    lives = streams.values_list("source__life").annotate(count=Count("pk"))
    by_status = dict(lives)
    slots = Node.objects.filter(kind="capture").aggregate(slots=Sum("slots"))["slots"]
    return {
        "agent_id": str(installation_id()),
        "analytics": _analytics(caller),
        "streams": {
            "max_direct_streams": slots or 0,
            "count": sum(by_status.values()),
            "statuses": {name: by_status.get(name, 0) for name in status_numbers()},
        },
        "groups": _groups(caller),
    }


def _analytics(caller: Caller) -> list[dict[str, Any]]:
    counting = {
        "analytic_name": PEOPLE_COUNT,
        "description": "Counts people, and tells when there are as many as asked.",
        "targets": list(PEOPLE_TARGETS),
    }
    found = [
        {"analytic_name": model.slug, "description": model.description or model.name, "targets": []}
        for model in models_for(caller)
    ]
    return [counting, *found]


def _groups(caller: Caller) -> list[str]:
    streams = streams_for(caller).order_by().values("pk")
    rows = LunaStream.objects.filter(stream__in=streams).exclude(groups=[])
    return sorted({str(name) for groups in rows.values_list("groups", flat=True) for name in groups})


def plugins() -> list[dict[str, str]]:
    """Return what is installed: drivers of cameras, detectors and converters; ours, and those of others."""
    drivers = [_own("driver", value, label) for value, label in Driver.choices]
    runtimes = [_own("detector", value, str(label)) for value, label in Runtime.choices]
    built_in = [_own("detector", f"{Runtime.OPENCV.value}:{one.slug}", one.name) for one in BUILTINS]
    return [*drivers, *runtimes, *built_in, *_converters()]


def _own(kind: str, name: str, title: str) -> dict[str, str]:
    return {"name": name, "kind": kind, "title": title, "origin": "omma", "status": "ready"}


def _converters() -> list[dict[str, str]]:
    origins = {entry.name: entry.dist.name for entry in entry_points(group=GROUP) if entry.dist}
    return [
        {
            **_own("converter", name, converter.title),
            "origin": origins.get(name, "omma"),
            "status": converter.missing() or "ready",
        }
        for name, converter in sorted(converters().items())
    ]


def check_health(*, with_neighbours: bool) -> Mapping[str, float]:
    """Return how long it took to find everything well.

    The agent's own servers are asked; with its neighbours also the workers and the storage. Raises
    `UnavailableError`, naming what failed.
    """
    begin = time.monotonic()
    failed = [check for check in health_checks() if not check.is_ok and _counts(check, with_neighbours)]
    if failed:
        raise UnavailableError(_words(failed))
    return {"execution_time": round(time.monotonic() - begin, 6)}


def _counts(check: HealthCheck, with_neighbours: bool) -> bool:
    return with_neighbours or check.code in OWN_SERVERS


def _words(failed: Sequence[HealthCheck]) -> str:
    return "; ".join(f"{check.code}: {check.words}" for check in failed)
