"""Retention by class, on rows: what moved, was recorded or is held stays longer than what just ran."""

import pytest
from django.db import connection
from django.test import Client

from apps.core import own_connections
from apps.core.advisory_locks import RETENTION, try_lock
from apps.inference.models import MinuteSummary
from apps.recordings import clock_guard, retention
from apps.recordings.clock_guard import Reading
from apps.recordings.models import Recording, RecordingState, RetentionPolicy
from apps.streams.models import Segment, Stream
from tests import factories
from tests.apps.recordings.archive import Archive, at

DAY = 24 * 3600
URL = "/api/v1/retention-policies/"


def keep(archive: Archive, days: int = 2, motion: int = 7, event: int = 30, **scope: object) -> None:
    RetentionPolicy.objects.create(
        account=archive.account,
        max_age_hours=24 * days,
        motion_age_hours=24 * motion,
        event_age_hours=24 * event,
        **scope,
    )


def recorded(archive: Archive, start_s: int, end_s: int, **fields: object) -> Recording:
    return Recording.objects.create(
        **{
            "account": archive.account,
            "camera": archive.stream.camera,
            "stream": archive.stream,
            "number": Recording.objects.count() + 1,
            "state": RecordingState.DONE,
            "wanted_start": at(start_s),
            "start": at(start_s),
            "end": at(end_s),
            "until": at(end_s),
            "cause_kind": "rule",
            **fields,
        }
    )


def moved(archive: Archive, *minutes: int, stream: Stream | None = None) -> None:
    for minute in minutes:
        MinuteSummary.objects.create(
            account_id=archive.account.pk,
            camera_id=archive.stream.camera_id,
            stream_id=(stream or archive.stream).pk,
            minute=at(minute * 60),
            motion=0.2,
        )


def left(archive: Archive) -> list[int]:
    """Return the minutes of which footage is left."""
    rows = Segment.objects.exclude(state="garbage").order_by("start").values_list("start", flat=True)
    return [round((start - at(0)).total_seconds() / 60) for start in rows]


@pytest.fixture
def house(archive: Archive) -> Archive:
    """Ten minutes: motion in 2 and 3, an event in 5, a recording of motion in 7, a held one in 9."""
    archive.add_rows(0, *[60] * 10)
    moved(archive, 2, 3)
    MinuteSummary.objects.filter(minute=at(180)).update(motion=0.02)
    MinuteSummary.objects.create(
        account_id=archive.account.pk,
        camera_id=archive.stream.camera_id,
        stream_id=archive.stream.pk,
        minute=at(8 * 60),
        motion=0.001,
    )
    recorded(archive, 5 * 60 + 10, 5 * 60 + 20, labels=["motion", "person"])
    recorded(archive, 7 * 60 + 10, 7 * 60 + 20, labels=["motion"])
    recorded(archive, 9 * 60 + 10, 9 * 60 + 20, is_held=True)
    return archive


@pytest.mark.parametrize(
    ("days", "kept"),
    [
        (1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (3, [2, 3, 5, 7, 9]),
        (8, [5, 9]),
        (31, [9]),
        (4000, [9]),
    ],
)
def test_each_class_is_kept_as_long_as_its_policy_says(house: Archive, days: int, kept: list[int]) -> None:
    keep(house)

    retention.run(at(days * DAY + 600))

    assert left(house) == kept


def test_what_moved_is_known_from_any_stream_of_the_camera(archive: Archive) -> None:
    archive.add_rows(0, 60, 60)
    source = archive.stream.source
    sub = Stream.objects.create(
        account=archive.account, camera=archive.stream.camera, source=source, name="sub"
    )
    moved(archive, 1, stream=sub)
    keep(archive)

    retention.run(at(3 * DAY))

    assert left(archive) == [1]


def test_a_streams_policy_goes_before_its_cameras_and_that_before_its_accounts(archive: Archive) -> None:
    archive.add_rows(0, 60)
    keep(archive, 1, 1, 1)
    keep(archive, 2, 2, 2, camera=archive.stream.camera)
    keep(archive, 5, 5, 5, camera=archive.stream.camera, stream=archive.stream)

    retention.run(at(4 * DAY))
    assert left(archive) == [0]

    RetentionPolicy.objects.filter(stream=archive.stream).delete()
    retention.run(at(4 * DAY))
    assert left(archive) == []


def test_a_streams_size_is_kept(archive: Archive) -> None:
    archive.add_rows(0, 60, 60, 60, size_bytes=60_000)
    RetentionPolicy.objects.create(
        account=archive.account, camera=archive.stream.camera, stream=archive.stream, max_bytes=130_000
    )

    retention.run(at(3600))

    assert left(archive) == [1, 2]


def test_many_batches_and_windows_leave_nothing_behind(archive: Archive) -> None:
    archive.add_rows(0, *[1] * 600)
    archive.add_rows(19 * DAY, *[1] * 3)
    keep(archive, 2, 2, 2)

    retention.run(at(23 * DAY))

    assert left(archive) == []


def test_a_second_run_at_once_does_nothing(archive: Archive) -> None:
    archive.add_rows(0, 60)
    keep(archive, 1, 1, 1)
    with own_connections.connect() as other:
        assert try_lock(other, RETENTION)

        assert retention.run(at(9 * DAY)) == "another run is at it"
        assert retention.rotate(at(9 * DAY)) == "another run is at it"

    assert left(archive) == [0]
    retention.run(at(9 * DAY))
    assert left(archive) == []


def test_a_clock_that_jumps_forward_is_not_believed_for_an_hour(archive: Archive) -> None:
    (archive.root.parent / "data").mkdir()

    def believes(wall_s: float, since_boot_s: float, boot: str = "a") -> bool:
        return clock_guard.is_believed("test", Reading(wall_s, since_boot_s, boot))

    assert believes(1000, 10)
    assert believes(1060, 70)
    assert not believes(1_000_000, 130)
    assert not believes(1_000_060, 190)
    assert believes(1_003_700, 3_800)
    assert not believes(9_000_000, 3_860)
    assert believes(1_003_820, 3_920)  # it was set back
    assert believes(1_003_820 + 5 * DAY, 20, "b")  # the machine was off
    assert not believes(1_003_820 + 90 * DAY, 20, "c")


def test_ages_wait_while_the_clock_is_not_believed(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.add_rows(-400 * DAY, 60)
    monkeypatch.setattr(clock_guard, "is_believed", lambda _job: False)

    assert "ages wait" in retention.run()
    assert Segment.objects.exclude(state="garbage").count() == 1

    monkeypatch.setattr(clock_guard, "is_believed", lambda _job: True)
    retention.run()
    assert Segment.objects.count() == 0


def test_rotation_makes_room_only_where_it_is_needed(archive: Archive) -> None:
    archive.add_rows(0, 60, 60, 60, size_bytes=60_000)
    assert retention.rotate(at(3600)) == "0 expired"
    archive.volume.max_bytes = 100_000
    archive.volume.save()

    assert retention.rotate(at(3600)) == "2 expired"

    assert left(archive) == [2]
    archive.volume.refresh_from_db()
    assert archive.volume.used_bytes <= 100_000


def test_the_reserve_grows_with_what_the_cameras_write(archive: Archive) -> None:
    archive.add_rows(0, *[60] * 10, size_bytes=60_000)  # 60 kB a minute: a reserve of 300 kB
    archive.volume.max_bytes = 650_000
    archive.volume.save()

    retention.rotate(at(600))

    kept_bytes = sum(Segment.objects.values_list("durable_bytes", flat=True))
    assert kept_bytes <= 350_000


@pytest.fixture
def admin(archive: Archive) -> Client:
    client = Client()
    client.force_login(factories.make_member(archive.account, "admin").user)
    return client


def test_a_policy_of_a_stream_is_set_changed_and_removed_by_the_api(archive: Archive, admin: Client) -> None:
    body = {
        "stream": str(archive.stream.pk),
        "max_age_hours": 48,
        "event_age_hours": 720,
        "max_bytes": 1 << 30,
    }

    made = admin.post(URL, body, content_type="application/json")

    row = made.json()
    assert (made.status_code, row["camera"]) == (201, str(archive.stream.camera_id))
    assert (row["stream"], row["event_age_hours"], row["motion_age_hours"]) == (body["stream"], 720, None)
    address = f"{URL}{row['id']}/"
    changed = admin.patch(address, {"motion_age_hours": 168}, content_type="application/json")
    assert changed.json()["motion_age_hours"] == 168
    assert admin.post(URL, body, content_type="application/json").status_code == 409
    assert admin.delete(address).status_code == 204


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"max_age_hours": -1}, "max_age_hours"),
        ({"max_age_hours": 10**9}, "max_age_hours"),
        ({"max_age_hours": 48, "event_age_hours": 24}, "event_age_hours"),
        ({"max_age_hours": 48, "motion_age_hours": 24}, "motion_age_hours"),
        ({"motion_age_hours": 24 * 365}, "motion_age_hours"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"archive_after_hours": 0}, "archive_after_hours"),
        ({"stream": "01890000-0000-7000-8000-000000000000"}, "stream"),
    ],
)
def test_absurd_policies_are_refused_at_their_field(
    archive: Archive, admin: Client, body: dict[str, object], field: str
) -> None:
    answer = admin.post(URL, body, content_type="application/json")

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == [field]
    assert not RetentionPolicy.objects.exists()


def test_a_run_costs_a_bounded_number_of_statements(house: Archive) -> None:
    keep(house)
    retention.run(at(3 * DAY))
    with connection.execute_wrapper(counting := Counting()):
        retention.run(at(3 * DAY))

    assert counting.count < 40


class Counting:
    """Counts statements."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: object, sql: str, params: object, many: bool, context: object) -> object:
        self.count += 1
        return execute(sql, params, many, context)  # type: ignore[operator]
