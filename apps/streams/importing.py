"""The stream of footage that came as a file: nothing records it, and its segments are closed."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.cameras.models import Camera
from apps.streams.models import Mode, Source, SourceStatus, Stream
from apps.streams.segment_news import SegmentKeeper
from apps.streams.state_news import publish_stream
from omma_engine.capture.messages import NewsKind


def add_imported_stream(camera: Camera, stream_id: UUID, facts: Mapping[str, Any]) -> Stream:
    """Make the source and the stream of an imported camera, in the caller's transaction."""
    source = Source.objects.create(
        account_id=camera.account_id,
        camera=camera,
        is_wanted=False,
        status=SourceStatus.ENDED,
        status_at=timezone.now(),
    )
    stream = Stream.objects.create(
        id=stream_id,
        account_id=camera.account_id,
        camera=camera,
        source=source,
        mode=Mode.OFF,
        codec=facts["codec"],
        width=facts["width"],
        height=facts["height"],
        frame_rate=facts["frame_rate"],
        has_audio=facts["has_audio"],
    )
    publish_stream(stream, "stream.created")
    return stream


def add_imported_segments(stream: Stream, told: Iterable[Mapping[str, Any]]) -> None:
    """Make rows of segments that are whole on disk, from news as a capture child says them."""
    keeper = SegmentKeeper({stream.id: stream}, is_fill=False)
    for news in told:
        match news["kind"]:
            case NewsKind.SEGMENT_OPEN:
                keeper.open(news)
            case NewsKind.SEGMENT_PROGRESS:
                keeper.progress(news)
            case NewsKind.SEGMENT_CLOSE:
                keeper.close(news)
    keeper.save()
