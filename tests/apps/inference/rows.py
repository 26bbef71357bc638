"""Streams with analytics, and a host's news, with as few words as possible."""

from typing import Any
from uuid import UUID, uuid4

from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.catalog.services import builtin_version
from apps.core.models import Lease, LeaseKind
from apps.inference.models import Analytic
from apps.streams.models import Source, Stream
from omma_engine.ids import uuid7
from omma_engine.ports import NewsItem
from tests.factories import make_camera

BLOCK = 1 << 20
START_US = 1_767_225_600_000_000  # 2026-01-01


def make_stream(account: Account, camera: Camera | None = None) -> Stream:
    camera = camera or make_camera(account)
    source = Source.objects.create(account=account, camera=camera)
    return Stream.objects.create(account=account, camera=camera, source=source)


def make_analytic(stream: Stream, model: str = "people", *, number: int = 0, **fields: Any) -> Analytic:
    return Analytic.objects.create(
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream=stream,
        number=number,
        name=model,
        model_version=builtin_version(model),
        **fields,
    )


def hold_lease(analytic: Analytic, epoch: int = BLOCK) -> Lease:
    """Make the analytic's lease, held by somebody under this epoch."""
    return Lease.objects.create(
        object_id=analytic.id, kind=LeaseKind.ANALYTIC, owner="w", owner_key=1, epoch=epoch
    )


class Host:
    """Says news of one analytic's life in a host, numbered as a host does."""

    def __init__(self, analytic: Analytic, epoch: int = BLOCK + 1) -> None:
        self.analytic = analytic
        self.epoch = epoch
        self.sequence = 0

    def say(self, **payload: Any) -> NewsItem:
        self.sequence += 1
        return NewsItem(self.analytic.id, self.epoch, self.sequence, payload)

    def status(self, status: str = "running", detail: str = "") -> NewsItem:
        return self.say(
            kind="status", status=status, detail=detail, analysed_fps=4.9, dropped=3, at_us=START_US
        )

    def track(self, phase: str = "open", *, track_id: UUID | None = None, **changes: Any) -> NewsItem:
        values = {
            "track_id": str(track_id or uuid7(START_US // 1000)),
            "number": 0,
            "label": "person",
            "confidence": 0.7,
            "start_us": START_US,
            "end_us": START_US + 1_000_000,
            "best_us": START_US,
            "best_box": [0.1, 0.2, 0.3, 0.8],
            "crop": "",
            "path": [[0, 0.2, 0.8]],
            "hits": 5,
            "zones": [],
            "size_min": 0.12,
            "size_max": 0.12,
            "top_speed_kmh": None,
            **changes,
        }
        return self.say(kind=f"track_{phase}", **values)

    def result(self, phase: str = "period", *, event_id: UUID, at_s: float = 0.0, **changes: Any) -> NewsItem:
        values = {
            "phase": phase,
            "event_id": str(event_id),
            "start_us": START_US,
            "at_us": START_US + round(at_s * 1e6),
            "count": 3,
            "highest": 4,
            "counts": {"person": 3},
            "regions": [{"name": "queue", "count": 3}],
            "width": 640,
            "height": 360,
            "coordinates": [[0.1, 0.9]],
            "image": "thumbnails/events/20260101/x.jpg",
            "is_told": True,
            **changes,
        }
        return self.say(kind="result", **values)

    def match(
        self, phase: str = "start", *, event_id: UUID, until_s: float = 0.0, **changes: Any
    ) -> NewsItem:
        values = {
            "phase": phase,
            "event_id": str(event_id),
            "rule_id": str(UUID(int=77)),
            "track_id": str(uuid4()),
            "track_number": 0,
            "label": "person",
            "confidence": 0.7,
            "at_us": START_US,
            "until_us": START_US + round(until_s * 1e6),
            "box": [0.1, 0.2, 0.3, 0.8],
            "snapshot": "",
            **changes,
        }
        return self.say(kind="match", **values)
