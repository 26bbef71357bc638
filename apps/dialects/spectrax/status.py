"""SpectraX's status: how each camera runs and what was seen of late."""

import os
import time
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psutil
from django.db.models import Count, Max
from django.utils import timezone

from apps.accounts.access import Action, visible
from apps.catalog.models import ModelTask
from apps.dialects.boxes import Box
from apps.dialects.spectrax.cameras import camera_paths
from apps.dialects.spectrax.times import utc_text
from apps.inference.models import Analytic, Track
from apps.streams.coverage import id_floor
from apps.streams.models import SourceStatus, Stream

COUNTED = timedelta(hours=24)  # detections of this time are counted: a bound that a restart does not move


def box_status(box: Box, now: datetime | None = None) -> dict[str, Any]:
    """Return what `/status` answers."""
    paths = camera_paths(box)
    analytics = _running_analytics(paths)
    rates, seen = _frame_rates(paths), _seen(box, paths, now or timezone.now())
    return {
        "status": "running",
        "cameras": {
            path: {"fps": rates.get(camera_id, 0.0), **_camera(seen[camera_id])}
            for camera_id, path in paths.items()
        },
        "uptime_seconds": uptime_s(),
        "model": analytics[0].model_version.model.slug if analytics else None,
        "tracking_enabled": bool(analytics),
    }


def uptime_s() -> int:
    """Return for how long this web server has run."""
    return int(time.time() - psutil.Process(os.getpid()).create_time())


def _camera(labels: dict[str, tuple[int, datetime]]) -> dict[str, Any]:
    objects = {label: count for label, (count, _) in sorted(labels.items())}
    newest = max((moment for _, moment in labels.values()), default=None)
    return {"detections": sum(objects.values()), "last_detection": utc_text(newest), "objects": objects}


def _frame_rates(paths: dict[UUID, str]) -> dict[UUID, float]:
    """Return the frame rate of each camera's main stream; one that is not live delivers none."""
    rows = Stream.objects.filter(camera_id__in=paths, source__status=SourceStatus.LIVE)
    rates = {row.camera_id: round(row.frame_rate, 1) for row in rows.order_by("-created_at")}
    return rates | {row.camera_id: round(row.frame_rate, 1) for row in rows.filter(name="main")}


def _seen(
    box: Box, paths: dict[UUID, str], now: datetime
) -> defaultdict[UUID, dict[str, tuple[int, datetime]]]:
    since = now - COUNTED
    rows = Track.objects.filter(
        account_id=box.account.pk, camera_id__in=list(paths), start__gt=since, id__gte=id_floor(since)
    )
    rows = visible(box.actor, Action.VIEW, rows)
    found: defaultdict[UUID, dict[str, tuple[int, datetime]]] = defaultdict(dict)
    counted = rows.order_by().values_list("camera_id", "label").annotate(count=Count("id"), newest=Max("end"))
    for camera_id, label, count, newest in counted:
        found[camera_id][label] = (count, newest)
    return found


def _running_analytics(paths: dict[UUID, str]) -> list[Analytic]:
    """Return the analytics of these cameras, detectors of objects before those of motion."""
    rows = Analytic.objects.filter(camera_id__in=paths, is_enabled=True)
    ordered = rows.select_related("model_version__model").order_by("camera__number", "number")
    return sorted(ordered, key=lambda one: one.model_version.model.task == ModelTask.MOTION)
