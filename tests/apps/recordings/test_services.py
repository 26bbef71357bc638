"""What people do with recordings."""

from collections.abc import Callable

import pytest

from apps.accounts.access import Actor
from apps.accounts.actors import actor_of_user
from apps.core.exceptions import ConflictError, ForbiddenError, InvalidInputError, NotVisibleError, OmmaError
from apps.core.models import AuditEntry, Outbox, Task
from apps.recordings import services
from apps.recordings.growing import grow
from apps.recordings.models import Recording, RecordingState
from tests import factories
from tests.apps.recordings.archive import Archive, at


@pytest.fixture
def operator(archive: Archive) -> Actor:
    return actor_of_user(factories.make_member(archive.account, "operator").user)


def test_recording_runs_from_its_pre_roll_until_stopped(archive: Archive, operator: Actor) -> None:
    archive.add_rows(0, 60)
    recording = services.start_recording(actor=operator, stream=archive.stream, name="Parcel", now=at(30))
    assert (recording.start, recording.until, recording.cause_kind) == (at(20), None, "user")

    grow(recording.pk, at(40))
    services.stop_recording(actor=operator, recording=recording, now=at(50))
    grow(recording.pk, at(52))

    recording.refresh_from_db()
    assert (recording.state, recording.start, recording.end) == (RecordingState.DONE, at(20), at(50))
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "recording.start",
        "recording.stop",
    ]


def test_recording_for_a_while_ends_by_itself(archive: Archive, operator: Actor) -> None:
    archive.add_rows(0, 60)

    recording = services.start_recording(
        actor=operator, stream=archive.stream, pre_roll_s=0, duration_s=15, now=at(30)
    )
    grow(recording.pk, at(60))

    recording.refresh_from_db()
    assert (recording.state, recording.start, recording.end) == (RecordingState.DONE, at(30), at(45))


def test_second_recording_of_a_stream_names_the_first(archive: Archive, operator: Actor) -> None:
    first = services.start_recording(actor=operator, stream=archive.stream, now=at(30))

    with pytest.raises(ConflictError) as refused:
        services.start_recording(actor=operator, stream=archive.stream, now=at(31))

    assert refused.value.detail == {"recording": str(first.pk)}
    assert Recording.objects.count() == 1


def test_stopped_recording_does_not_stand_in_the_way_of_the_next(archive: Archive, operator: Actor) -> None:
    first = services.start_recording(actor=operator, stream=archive.stream, now=at(30))
    services.stop_recording(actor=operator, recording=first, now=at(31))

    services.start_recording(actor=operator, stream=archive.stream, now=at(32))

    assert Recording.objects.count() == 2


def test_stream_that_is_off_is_not_recorded(archive: Archive, operator: Actor) -> None:
    archive.stream.mode = "off"
    archive.stream.save()

    with pytest.raises(ConflictError) as refused:
        services.start_recording(actor=operator, stream=archive.stream, now=at(30))

    assert refused.value.field == "stream"


def test_stopping_a_split_recording_ends_where_it_grows(archive: Archive, operator: Actor) -> None:
    archive.add_rows(0, *[60] * 12)
    first = services.start_recording(actor=operator, stream=archive.stream, pre_roll_s=0, now=at(10))
    grow(first.pk, at(700))

    services.stop_recording(actor=operator, recording=first, now=at(702))

    following = Recording.objects.get(continues=first)
    assert following.until == at(702)
    first.refresh_from_db()
    assert (first.state, first.end, following.start) == (RecordingState.DONE, at(610), at(610))


def test_stopping_again_changes_nothing(archive: Archive, operator: Actor) -> None:
    archive.add_rows(0, 60)
    recording = services.start_recording(actor=operator, stream=archive.stream, now=at(30))
    services.stop_recording(actor=operator, recording=recording, now=at(40))
    services.stop_recording(actor=operator, recording=recording, now=at(45))
    grow(recording.pk, at(50))
    told = Outbox.objects.count()

    services.stop_recording(actor=operator, recording=recording, now=at(55))

    recording.refresh_from_db()
    assert (recording.end, Outbox.objects.count()) == (at(40), told)


def test_extending_moves_the_end_of_what_grows(archive: Archive, operator: Actor) -> None:
    archive.add_rows(0, 60)
    recording = services.start_recording(actor=operator, stream=archive.stream, duration_s=10, now=at(30))

    services.extend_recording(actor=operator, recording=recording, seconds=20, now=at(35))
    assert Recording.objects.get().until == at(55)
    grow(recording.pk, at(58))

    with pytest.raises(ConflictError, match="finished"):
        services.extend_recording(actor=operator, recording=recording, seconds=20, now=at(60))


def test_range_that_is_there_becomes_a_recording(archive: Archive, operator: Actor) -> None:
    archive.add_rows(0, 60)

    recording = services.save_range(
        actor=operator, stream=archive.stream, start=at(10.5), end=at(19.2), now=at(60)
    )

    assert (recording.state, recording.start, recording.end) == (RecordingState.DONE, at(10), at(20))
    assert Task.objects.filter(kind="thumbnail").count() == 1


@pytest.mark.parametrize(
    ("start_s", "end_s", "field"),
    [(20, 10, "end"), (500, 510, "start"), (50, 70, "end"), (-90000, 10, "end")],
)
def test_range_that_cannot_be_kept_names_the_field(
    archive: Archive, operator: Actor, start_s: int, end_s: int, field: str
) -> None:
    archive.add_rows(0, 60)
    if start_s == 500:
        archive.add_rows(600, 60)

    with pytest.raises(InvalidInputError) as refused:
        services.save_range(
            actor=operator,
            stream=archive.stream,
            start=at(start_s),
            end=at(end_s),
            now=at(60 if start_s != 500 else 660),
        )

    assert refused.value.field == field
    assert not Recording.objects.exists()


def test_held_recording_is_released_before_it_is_deleted(archive: Archive, operator: Actor) -> None:
    archive.add_rows(0, 60)
    recording = services.save_range(
        actor=operator, stream=archive.stream, start=at(0), end=at(10), now=at(60)
    )
    services.hold_recording(actor=operator, recording=recording)

    with pytest.raises(ConflictError, match="held"):
        services.delete_recording(actor=operator, recording=recording)
    services.release_recording(actor=operator, recording=recording)
    services.delete_recording(actor=operator, recording=recording)

    assert not Recording.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pre_roll_s", -1),
        ("pre_roll_s", 301),
        ("duration_s", 0),
        ("duration_s", 100_000),
        ("name", "x" * 201),
    ],
)
def test_bad_values_name_their_field(archive: Archive, operator: Actor, field: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as refused:
        services.start_recording(actor=operator, stream=archive.stream, now=at(30), **{field: value})  # type: ignore[arg-type]

    assert refused.value.field == field
    assert not Recording.objects.exists()


@pytest.mark.parametrize(("role", "expected"), [("viewer", ForbiddenError), ("stranger", NotVisibleError)])
def test_rights_are_asked_by_every_verb(
    archive: Archive, operator: Actor, role: str, expected: type[OmmaError]
) -> None:
    archive.add_rows(0, 60)
    recording = services.save_range(
        actor=operator, stream=archive.stream, start=at(0), end=at(10), now=at(60)
    )
    account = archive.account if role == "viewer" else factories.make_account("Other")
    actor = actor_of_user(factories.make_member(account, "viewer" if role == "viewer" else "admin").user)
    verbs: list[Callable[[], object]] = [
        lambda: services.start_recording(actor=actor, stream=archive.stream),
        lambda: services.save_range(actor=actor, stream=archive.stream, start=at(0), end=at(9)),
        lambda: services.stop_recording(actor=actor, recording=recording),
        lambda: services.extend_recording(actor=actor, recording=recording, seconds=5),
        lambda: services.hold_recording(actor=actor, recording=recording),
        lambda: services.release_recording(actor=actor, recording=recording),
        lambda: services.rename_recording(actor=actor, recording=recording, name="x"),
        lambda: services.delete_recording(actor=actor, recording=recording),
    ]
    before = list(Recording.objects.values())

    for verb in verbs:
        with pytest.raises(expected):
            verb()

    assert list(Recording.objects.values()) == before
