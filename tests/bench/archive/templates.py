"""One row of each kind, made as the application makes them, for the millions to be copied from."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Account, User
from apps.core.times import from_us
from apps.inference.models import MinuteSummary, Track
from apps.recordings.models import CauseKind, Recording, RecordingState
from apps.streams.models import Gap, Segment, SegmentState, Source, Stream, Volume
from omma_engine.ids import uuid7
from omma_engine.playback.slices import SegmentSlice
from tests import factories
from tests.bench.archive.values import FILE_NAME
from tests.engine.playback.footage import RATE_HZ, Shot, record

SEGMENT_S = 60
_TEMPLATED = (
    ("streams_segment", Segment),
    ("streams_gap", Gap),
    ("inference_minute_summary", MinuteSummary),
    ("inference_track", Track),
    ("recordings_recording", Recording),
)


def make_templates(cameras: int, rules: int, folder: Path) -> dict[str, Any]:
    """Make cameras, logins, a real segment file and the template rows; return what a client needs."""
    account = factories.make_account("Archive")
    viewer = factories.make_member(account, "viewer").user
    streams = [_stream(account, number) for number in range(cameras)]
    footage = _footage(folder)
    volume = Volume.objects.create(name="archive", root=str(folder))
    rule_ids = [str(uuid7()) for _ in range(rules)]
    _make_rows(streams[0], volume, footage)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_stream (no int, account_id uuid, camera_id uuid, stream_id uuid)")
        for number, one in enumerate(streams):
            row: list[int | str] = [number, str(account.pk), str(one.camera_id), str(one.pk)]
            cursor.execute("INSERT INTO bench_stream VALUES (%s, %s, %s, %s)", row)
        for table, model in _TEMPLATED:
            cursor.execute(f"CREATE TABLE bench_template_{table} AS TABLE {table} LIMIT 1")
            model._default_manager.all().delete()
    return {
        "account": str(account.pk),
        "cookies": {"member": _cookie(viewer), "superuser": _cookie(factories.make_superuser("archivist"))},
        "streams": [str(one.pk) for one in streams],
        "cameras": [str(one.camera_id) for one in streams],
        "rules": rule_ids,
    }


def _stream(account: Account, number: int) -> Stream:
    camera = factories.make_camera(account, f"Camera {number}", number=number + 1)
    source = Source.objects.create(account=account, camera=camera)
    return Stream.objects.create(
        account=account, camera=camera, source=source, codec="h264", width=160, height=96
    )


def _footage(folder: Path) -> SegmentSlice:
    one = record(folder, Shot(start_us=0, first=0, count=SEGMENT_S * RATE_HZ))
    (folder / one.path).rename(folder / FILE_NAME)
    return one


def _make_rows(stream: Stream, volume: Volume, footage: SegmentSlice) -> None:
    ids: dict[str, Any] = {
        "account_id": stream.account_id, "camera_id": stream.camera_id, "stream_id": stream.pk,
    }  # fmt: skip
    at = from_us(0)
    Segment.objects.create(
        id=uuid7(), **ids, volume=volume, epoch=1, sequence=1, start=at, end=at, start_ticks=0,
        time_base_num=1, time_base_den=90000, clock="rtcp", error_us=2000, state=SegmentState.CLOSED,
        path=FILE_NAME, codec="h264", width=160, height=96, init_size=footage.init_size,
        durable_bytes=footage.durable_bytes, sha256="0" * 64,
        fragments=[
            [one.start_us, one.duration_us, one.offset, one.size, int(one.is_keyframe)]
            for one in footage.fragments
        ],
    )  # fmt: skip
    Gap.objects.create(**ids, start=at, end=at, cause="camera")
    MinuteSummary.objects.create(**ids, minute=at)
    Track.objects.create(
        **ids, analytic_id=uuid7(), number=1, label="person", confidence=0.5, start=at, end=at, best_at=at,
        is_live=False, best_box=[0.1, 0.2, 0.3, 0.4], path=[[n * 500, 0.1 * n, 0.5] for n in range(8)],
    )  # fmt: skip
    Recording.objects.create(
        account_id=stream.account_id, camera_id=stream.camera_id, stream=stream, number=0,
        wanted_start=at, start=at, end=at + timedelta(seconds=1), state=RecordingState.DONE,
        cause_kind=CauseKind.RULE, created_at=timezone.now(),
    )  # fmt: skip


def _cookie(user: User) -> str:
    client = Client()
    client.force_login(user)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"
