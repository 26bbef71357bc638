"""What a source does now, as its people see it: status, log, codec, and news for the sockets."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apps.core import outbox
from apps.core.times import from_us
from apps.streams import life_changes
from apps.streams.models import Source, Stream
from omma_engine.redaction import redact

_PICTURE_FIELDS = ("codec", "width", "height", "frame_rate", "has_audio")


def apply_state(source_id: UUID, news: Mapping[str, Any], epoch: int = 0) -> None:
    """Write a source's new state, what becomes of its life, and its stream's codec and size if they came.

    `epoch` is that of the child that said it; 0 where nobody knows.
    """
    rows = Source.objects.select_for_update(of=("self",)).select_related("camera", "account")
    source = rows.filter(id=source_id).first()
    if source is None:
        return
    before = source.status
    at, detail = from_us(news["at_us"]), redact(str(news["detail"]))[:300]
    code = str(news["code"])[:32]
    if source.status_at is not None and at < source.status_at:
        return
    is_new = (source.status, source.status_code, source.status_detail) != (news["state"], code, detail)
    source.status, source.status_code, source.status_detail = news["state"], code, detail
    source.status_at = at
    retry_at = from_us(news["retry_at_us"]) if "retry_at_us" in news else None
    has_new_retry, source.retry_at = retry_at != source.retry_at, retry_at
    source.save(
        update_fields=["status", "status_code", "status_detail", "status_at", "retry_at", "updated_at"]
    )
    if is_new or source.handler_block != epoch >> 20:
        life_changes.take_news(source, before, epoch=epoch)
    has_new_picture = _apply_picture(source, news)
    if is_new or has_new_retry:
        publish_source(source)
    elif has_new_picture:
        _publish_streams(source)


def publish_source(source: Source) -> None:
    """Tell the sockets that a source changed, and with it its streams, which show its state."""
    outbox.publish(
        "source.updated",
        subject_kind="source",
        subject_id=source.id,
        account_id=source.account_id,
        camera_ids=[source.camera_id],
        payload={"status": source.status, "code": source.status_code},
    )
    _publish_streams(source)


def publish_stream(stream: Stream, kind: str = "stream.updated") -> None:
    """Tell the sockets that a stream changed."""
    outbox.publish(
        kind,
        subject_kind="stream",
        subject_id=stream.id,
        account_id=stream.account_id,
        camera_ids=[stream.camera_id],
    )


def _publish_streams(source: Source) -> None:
    for stream in source.streams.all():
        publish_stream(stream)


def _apply_picture(source: Source, news: Mapping[str, Any]) -> bool:
    """Write codec and size to the source's first stream; tell whether they changed."""
    facts = {name: news[name] for name in _PICTURE_FIELDS if name in news}
    if not facts:
        return False
    stream = source.streams.order_by("created_at").first()
    if stream is None or all(getattr(stream, name) == value for name, value in facts.items()):
        return False
    for name, value in facts.items():
        setattr(stream, name, value)
    stream.save(update_fields=[*facts, "updated_at"])
    return True
