"""What people do to sources and streams: restart, change what is kept. Each verb is one transaction."""

from django.db import transaction
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, require
from apps.cameras.models import Camera
from apps.core import audit
from apps.core.exceptions import InvalidInputError
from apps.core.leases import nudge
from apps.core.models import LeaseKind
from apps.streams import life_changes
from apps.streams.life import Life
from apps.streams.life_log import Entry, add_entry
from apps.streams.models import Mode, Source, Stream
from apps.streams.state_news import publish_source, publish_stream

MAX_ROLL_S = 300


def provision_camera(camera: Camera, actor: Actor) -> None:
    """Give a new camera its source and its stream; runs in the transaction that adds the camera."""
    source = Source.objects.create(account_id=camera.account_id, camera=camera)
    stream = Stream.objects.create(account_id=camera.account_id, camera=camera, source=source)
    publish_stream(stream, "stream.created")
    add_entry(source, Entry(Life.PENDING, timezone.now(), actor_name=actor.name))
    nudge(LeaseKind.SOURCE.value)


@transaction.atomic
def restart_source(*, actor: Actor, source: Source) -> Source:
    """Start the source's child anew, whatever it does now; one that is stopped or paused stays so."""
    rows = Source.objects.select_for_update(of=("self",)).select_related("camera", "account")
    source = rows.get(pk=source.pk)
    require(actor, Action.MANAGE_CAMERAS, _resource(source))
    now = timezone.now()
    add_entry(source, Entry(Life.RESTART, now, "restart", "restarted by hand", actor.name))
    if source.has_given_up:
        life_changes.run(source, life_changes.Reason(now, actor_name=actor.name))
    else:
        source.restart_serial += 1
        source.save(update_fields=["restart_serial", "updated_at"])
    _record(actor, "source.restarted", source)
    publish_source(source)
    nudge(LeaseKind.SOURCE.value)
    return source


def restart_stream(*, actor: Actor, stream: Stream) -> Source:
    """Restart the source that writes a stream."""
    return restart_source(actor=actor, source=stream.source)


def set_mode(*, actor: Actor, stream: Stream, mode: str) -> Stream:
    """Set what is kept of a stream; it takes effect at the next keyframe, and `off` at once."""
    return update_stream(actor=actor, stream=stream, mode=mode)


def set_roll(*, actor: Actor, stream: Stream, pre_roll_s: int, post_roll_s: int) -> Stream:
    """Set how much is kept before and after what a rule records, in seconds."""
    return update_stream(actor=actor, stream=stream, pre_roll_s=pre_roll_s, post_roll_s=post_roll_s)


@transaction.atomic
def update_stream(
    *,
    actor: Actor,
    stream: Stream,
    mode: str | None = None,
    pre_roll_s: int | None = None,
    post_roll_s: int | None = None,
) -> Stream:
    """Change what is kept of a stream; what is not given stays."""
    stream = Stream.objects.select_for_update(of=("self",)).select_related("camera").get(pk=stream.pk)
    require(actor, Action.MANAGE_CAMERAS, _resource(stream))
    if mode is not None:
        stream.mode = _checked_mode(mode)
    if pre_roll_s is not None:
        stream.pre_roll_s = _checked_roll(pre_roll_s, "pre_roll_s")
    if post_roll_s is not None:
        stream.post_roll_s = _checked_roll(post_roll_s, "post_roll_s")
    stream.save(update_fields=["mode", "pre_roll_s", "post_roll_s", "updated_at"])
    _record(actor, "stream.updated", stream)
    publish_stream(stream)
    nudge(LeaseKind.SOURCE.value)
    return stream


def _checked_mode(mode: str) -> str:
    try:
        return Mode(mode).value
    except ValueError:
        known = ", ".join(Mode.values)
        raise InvalidInputError(f"Expected one of {known}, got {mode!r}.", field="mode") from None


def _checked_roll(seconds: int, field: str) -> int:
    if not 0 <= seconds <= MAX_ROLL_S:
        raise InvalidInputError(f"Expected 0 to {MAX_ROLL_S} seconds, got {seconds}.", field=field)
    return seconds


def _resource(row: Source | Stream) -> Resource:
    return Resource(row.account_id, frozenset({row.camera_id}))


def _record(actor: Actor, action: str, row: Source | Stream) -> None:
    detail = {"mode": row.mode} if isinstance(row, Stream) else {}
    audit.record(
        actor.ref(),
        action,
        subject_kind="stream" if isinstance(row, Stream) else "source",
        subject_id=row.id,
        subject_name=str(row),
        account_id=row.account_id,
        detail=dict(detail),
    )
