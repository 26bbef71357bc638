"""SpectraX's status and paths: XC1 and XC2."""

import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from apps.catalog.models import ModelVersion
from apps.catalog.services import builtin_version
from apps.dialects.spectrax import status
from apps.inference.models import Analytic, Track
from apps.streams.models import SourceStatus
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.dialects.spectrax.yard import Yard, add_camera
from tests.apps.recordings.archive import Archive


def add_analytic(archive: Archive, version: ModelVersion, number: int) -> Analytic:
    return Analytic.objects.create(
        account=archive.account,
        camera=archive.stream.camera,
        stream=archive.stream,
        number=number,
        name=version.model.slug,
        model_version=version,
    )


def add_track(archive: Archive, label: str, ago: timedelta) -> None:
    end = timezone.now() - ago
    begin = end - timedelta(seconds=1)
    stream = archive.stream
    ids = {"account_id": stream.account_id, "camera_id": stream.camera_id, "stream_id": stream.pk}
    Track.objects.create(
        id=uuid7(int(end.timestamp() * 1000)), **ids, analytic_id=uuid7(), number=1, label=label,
        confidence=0.5, start=begin, end=end, best_at=begin,
    )  # fmt: skip


def test_xc1_status_is_the_bare_object(yard: Yard) -> None:
    add_analytic(yard.front, builtin_version("motion"), 0)
    add_analytic(yard.front, builtin_version("people"), 1)
    for label, ago_h in (("person", 1), ("person", 2), ("car", 3), ("person", 26)):
        add_track(yard.front, label, timedelta(hours=ago_h))
    newest = Track.objects.order_by("-end")[0].end
    yard.back.stream.source.status = SourceStatus.RECONNECTING
    yard.back.stream.source.save()

    body = yard.get("/status")

    assert body == {
        "status": "running",
        "cameras": {
            "video/front-door": {
                "fps": 25.0,
                "detections": 3,
                "last_detection": f"{newest:%Y-%m-%dT%H:%M:%SZ}",
                "objects": {"car": 1, "person": 2},
            },
            "video/backyard": {"fps": 0.0, "detections": 0, "last_detection": None, "objects": {}},
        },
        "uptime_seconds": body["uptime_seconds"],
        "model": "people",
        "tracking_enabled": True,
    }


def test_xc1_uptime_grows_by_two_in_two_seconds(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    began_s = time.time()
    monkeypatch.setattr(status, "time", SimpleNamespace(time=lambda: began_s))
    first = yard.get("/status")["uptime_seconds"]
    monkeypatch.setattr(status, "time", SimpleNamespace(time=lambda: began_s + 2))

    assert yard.get("/status")["uptime_seconds"] == first + 2
    assert first >= 0


def test_without_analytics_no_model_is_named(yard: Yard) -> None:
    body = yard.get("/status")

    assert (body["model"], body["tracking_enabled"]) == (None, False)


def test_xc2_paths_are_the_cameras_of_the_status_in_their_order(yard: Yard) -> None:
    paths = yard.get("/paths")

    assert paths == {"paths": ["video/front-door", "video/backyard"]}
    assert list(yard.get("/status")["cameras"]) == paths["paths"]


def test_every_camera_has_a_path_of_its_own(yard: Yard, tmp_path: object) -> None:
    root = yard.front.root.parent
    second = add_camera(yard.account, root / "second", "Front  Door!").stream.camera
    kana = add_camera(yard.account, root / "kana", "玄関").stream.camera
    factories.make_camera(yard.account, "Without a stream")

    assert yard.get("/paths")["paths"] == [
        "video/front-door",
        "video/backyard",
        f"video/front-door-{second.number}",
        f"video/camera-{kana.number}",
    ]
