"""What people do with recordings: start, stop, extend, hold, release, rename and delete them."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.accounts.access import Action, Actor, Resource, require
from apps.core import audit
from apps.core.exceptions import ConflictError, InvalidInputError, NotVisibleError
from apps.core.numbering import next_number
from apps.recordings.footage import footage_between
from apps.recordings.growing import lock_stream, settle_bounds
from apps.recordings.models import CauseKind, Recording, RecordingState
from apps.recordings.news import announce
from apps.recordings.thumbnails import remove_thumbnail, request_thumbnail
from apps.streams.models import Mode, Stream

MAX_PRE_ROLL_S = 300
MAX_DURATION_S = 24 * 3600
MAX_NAME_LENGTH = 200


@transaction.atomic
def start_recording(
    *,
    actor: Actor,
    stream: Stream,
    name: str = "",
    pre_roll_s: int | None = None,
    duration_s: int | None = None,
    now: datetime | None = None,
) -> Recording:
    """Record a stream from `pre_roll_s` ago (None: its own) until stopped, or for `duration_s`."""
    require(actor, Action.RECORD, Resource(stream.account_id, frozenset({stream.camera_id})))
    moment = now or timezone.now()
    stream = lock_stream(stream.pk)
    before_s = stream.pre_roll_s if pre_roll_s is None else pre_roll_s
    _check_start(stream, name, before_s, duration_s)
    _refuse_second(stream, moment)
    until = None if duration_s is None else moment + timedelta(seconds=duration_s)
    recording = _new(actor, stream, name, wanted=(moment - timedelta(seconds=before_s), until), moment=moment)
    settle_bounds(recording, moment)
    recording.save()
    _record(actor, "start", recording, {"pre_roll_s": before_s, "duration_s": duration_s})
    announce(recording, "created")
    return recording


@transaction.atomic
def save_range(
    *,
    actor: Actor,
    stream: Stream,
    start: datetime,
    end: datetime,
    name: str = "",
    now: datetime | None = None,
) -> Recording:
    """Make a finished recording of footage that is there already."""
    require(actor, Action.RECORD, Resource(stream.account_id, frozenset({stream.camera_id})))
    stream = lock_stream(stream.pk)
    _check_name(name)
    if end <= start:
        raise InvalidInputError("The end must be after the start.", field="end")
    if end - start > timedelta(seconds=MAX_DURATION_S):
        raise InvalidInputError("A recording can be 24 hours long at most.", field="end")
    if end > (now or timezone.now()):
        raise InvalidInputError("The end must not be in the future.", field="end")
    if footage_between(stream.pk, start, end) is None:
        raise InvalidInputError("Nothing is recorded in this range.", field="start")
    recording = _new(actor, stream, name, wanted=(start, end), moment=None)
    recording.state = RecordingState.DONE
    settle_bounds(recording, end)
    recording.save()
    _record(actor, "save", recording, {"start": start.isoformat(), "end": end.isoformat()})
    announce(recording, "created")
    request_thumbnail(recording)
    return recording


@transaction.atomic
def stop_recording(*, actor: Actor, recording: Recording, now: datetime | None = None) -> Recording:
    """End a growing recording now, or the one that continues it; one that is done stays as it is."""
    _require(actor, Action.RECORD, recording)
    growing = _growing_end(_locked(recording))
    if growing is not None:
        moment = now or timezone.now()
        growing.until = max(growing.wanted_start, min(growing.until or moment, moment))
        growing.save(update_fields=["until", "updated_at"])
        _record(actor, "stop", growing, {})
        announce(growing, "updated")
    recording.refresh_from_db()
    return recording


@transaction.atomic
def extend_recording(
    *, actor: Actor, recording: Recording, seconds: int, now: datetime | None = None
) -> Recording:
    """Let a growing recording go on for `seconds` from now at least."""
    _require(actor, Action.RECORD, recording)
    if not 1 <= seconds <= MAX_DURATION_S:
        raise InvalidInputError(f"Expected 1 to {MAX_DURATION_S} seconds.", field="seconds")
    growing = _growing_end(_locked(recording))
    if growing is None:
        raise ConflictError("This recording is finished.")
    if growing.until is not None:
        growing.until = max(growing.until, (now or timezone.now()) + timedelta(seconds=seconds))
        growing.save(update_fields=["until", "updated_at"])
    _record(actor, "extend", growing, {"seconds": seconds})
    announce(growing, "updated")
    recording.refresh_from_db()
    return recording


@transaction.atomic
def hold_recording(*, actor: Actor, recording: Recording) -> Recording:
    """Keep a recording's footage from retention, until it is released."""
    return _set_held(actor, recording, is_held=True)


@transaction.atomic
def release_recording(*, actor: Actor, recording: Recording) -> Recording:
    """Let retention have a held recording again."""
    return _set_held(actor, recording, is_held=False)


@transaction.atomic
def rename_recording(*, actor: Actor, recording: Recording, name: str) -> Recording:
    """Give a recording a name; an empty one takes it away."""
    _require(actor, Action.RECORD, recording)
    _check_name(name)
    locked = _locked(recording)
    _record(actor, "rename", locked, {"from": locked.name, "to": name})
    locked.name = name
    locked.save(update_fields=["name", "updated_at"])
    announce(locked, "updated")
    return locked


@transaction.atomic
def delete_recording(*, actor: Actor, recording: Recording) -> None:
    """Delete a recording. Its footage is the stream's, and goes when retention takes it."""
    _require(actor, Action.RECORD, recording)
    locked = _locked(recording)
    if locked.is_held:
        raise ConflictError("This recording is held; release it first.")
    _record(actor, "delete", locked, {})
    announce(locked, "deleted")
    transaction.on_commit(lambda: remove_thumbnail(locked))
    Recording.objects.filter(pk=locked.pk).delete()


def _set_held(actor: Actor, recording: Recording, *, is_held: bool) -> Recording:
    _require(actor, Action.RECORD, recording)
    locked = _locked(recording)
    if locked.is_held == is_held:
        return locked
    locked.is_held = is_held
    locked.save(update_fields=["is_held", "updated_at"])
    _record(actor, "hold" if is_held else "release", locked, {})
    announce(locked, "updated")
    return locked


def _locked(recording: Recording) -> Recording:
    """Return the row as it is now, under its stream's lock; retention may have taken it meanwhile."""
    lock_stream(recording.stream_id)
    row = Recording.objects.filter(pk=recording.pk).first()
    if row is None:
        raise NotVisibleError
    return row


def _growing_end(recording: Recording) -> Recording | None:
    """Return the recording itself while it grows, or the one that continues it and grows."""
    current: Recording | None = recording
    while current is not None and current.state != RecordingState.ACTIVE:
        current = Recording.objects.filter(continues=current).first()
    return current


def _check_start(stream: Stream, name: str, pre_roll_s: int, duration_s: int | None) -> None:
    _check_name(name)
    if not 0 <= pre_roll_s <= MAX_PRE_ROLL_S:
        raise InvalidInputError(f"Expected 0 to {MAX_PRE_ROLL_S} seconds.", field="pre_roll_s")
    if duration_s is not None and not 1 <= duration_s <= MAX_DURATION_S:
        raise InvalidInputError(f"Expected 1 to {MAX_DURATION_S} seconds.", field="duration_s")
    if stream.mode == Mode.OFF:
        raise ConflictError("This stream's recording is off.", field="stream")


def _refuse_second(stream: Stream, moment: datetime) -> None:
    rows = Recording.objects.filter(stream=stream, cause_kind=CauseKind.USER, state=RecordingState.ACTIVE)
    growing = rows.filter(Q(until=None) | Q(until__gt=moment)).first()
    if growing is not None:
        raise ConflictError("This stream is being recorded.", detail={"recording": str(growing.pk)})


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidInputError(f"Expected {MAX_NAME_LENGTH} characters at most.", field="name")
    if "\0" in name:
        raise InvalidInputError("A name has no null characters.", field="name")


def _new(
    actor: Actor,
    stream: Stream,
    name: str,
    *,
    wanted: tuple[datetime, datetime | None],
    moment: datetime | None,
) -> Recording:
    start, until = wanted
    return Recording(
        account_id=stream.account_id,
        camera_id=stream.camera_id,
        stream=stream,
        number=next_number(stream.account, "recording"),
        name=name,
        wanted_start=start,
        start=start,
        end=start,
        until=until,
        trigger_at=moment,
        cause_kind=CauseKind.USER,
        cause_id=actor.user_id,
        cause_name=actor.name[:120],
    )


def _require(actor: Actor, action: Action, recording: Recording) -> None:
    require(actor, action, Resource(recording.account_id, frozenset({recording.camera_id})))


def _record(actor: Actor, verb: str, recording: Recording, detail: dict[str, object]) -> None:
    audit.record(
        actor.ref(),
        f"recording.{verb}",
        subject_kind="recording",
        subject_id=recording.pk,
        subject_name=str(recording),
        account_id=recording.account_id,
        detail=detail,
    )
