"""Adding, changing and removing cameras: one transaction, one audit entry, one piece of news each."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.access import system_actor
from apps.accounts.actors import actor_of_user
from apps.accounts.models import Account
from apps.cameras import services
from apps.cameras.logins import login_of, whole_address
from apps.cameras.models import Camera
from apps.core.exceptions import ForbiddenAddressError, ForbiddenError, InvalidInputError, NotVisibleError
from apps.core.jobs import nudge_waiting, run_task
from apps.core.models import AuditEntry, Lease, Outbox, Task, TaskState
from apps.rules.models import Rule
from apps.streams.models import Segment, Source, Stream
from apps.streams.sinks import CaptureSink
from apps.streams.volumes import ensure_default_volume
from omma_engine.ids import uuid7
from omma_engine.record.volume import IDENTITY_FILE
from omma_engine.redaction import redact
from tests.apps.streams.news import Life, own
from tests.factories import make_account, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Account:
    return make_account()


def add(home: Account, **fields: Any) -> Camera:
    fields = {"name": "Door", "address": "rtsp://admin:p%40ss@10.0.0.5/main", **fields}
    return services.add_camera(actor=system_actor(), account=home, **fields)


def test_a_camera_is_added_with_all_that_it_needs(home: Account) -> None:
    camera = add(home)

    assert (camera.number, camera.driver, camera.address) == (1, "rtsp", "rtsp://10.0.0.5/main")
    assert login_of(camera) == ("admin", "p@ss")
    assert b"p@ss" not in bytes(camera.secret or b"")
    source = Source.objects.get(camera=camera)
    assert Stream.objects.get(camera=camera).source == source
    assert AuditEntry.objects.get(action="camera.created").subject_id == camera.id
    assert Outbox.objects.get(kind="camera.created").camera_ids == [str(camera.id)]
    assert "p@ss" not in str(list(AuditEntry.objects.values())) + str(list(Outbox.objects.values()))


def test_a_camera_can_be_added_without_what_it_is_usually_armed_with(home: Account) -> None:
    camera = add(home, is_armed=False)

    assert Stream.objects.filter(camera=camera).count() == 1
    assert (camera.analytics.count(), Rule.objects.filter(account=home).count()) == (0, 0)


def test_numbers_count_per_account(home: Account) -> None:
    other = make_account("Other")

    assert [add(home).number, add(home).number, add(other).number] == [1, 2, 1]


def test_a_file_loops_unless_told_otherwise(home: Account, tmp_path: Path) -> None:
    video = tmp_path / "a.mp4"
    video.touch()

    assert add(home, address=str(video), is_trusted=True).options == {"loop": True}
    assert add(home, address=str(video), is_trusted=True, options={"loop": False}).options == {"loop": False}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"address": ""}, "address"),
        ({"address": "rtsp://"}, "address"),
        ({"address": "rtsp://10.0.0.5/a b"}, "address"),
        ({"options": {"transport": "carrier pigeon"}}, "options.transport"),
        ({"options": {"colour": 1}}, "options.colour"),
        ({"options": {"labels": {"site": 7}}}, "options.labels"),
        ({"options": {"single_session": "yes"}}, "options.single_session"),
    ],
)
def test_a_bad_value_names_its_field_and_nothing_is_added(
    home: Account, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        add(home, **fields)

    assert field in caught.value.fields
    assert Camera.objects.count() == Source.objects.count() == Outbox.objects.count() == 0


def test_an_operator_may_not_add_and_a_stranger_sees_nothing(home: Account) -> None:
    operator = actor_of_user(make_member(home, "operator").user)
    stranger = actor_of_user(make_member(make_account("Other"), "admin").user)

    for actor, error in ((operator, ForbiddenError), (stranger, NotVisibleError)):
        with pytest.raises(error):
            services.add_camera(actor=actor, account=home, name="Door", address="rtsp://10.0.0.5/main")
    assert Camera.objects.count() == 0


def test_a_new_address_drops_trust_and_login(home: Account) -> None:
    camera = add(home, address="rtsp://admin:pw@127.0.0.1:8554/main", is_trusted=True)

    with pytest.raises(ForbiddenAddressError):
        services.update_camera(
            actor=system_actor(), camera=camera, changes={"address": "rtsp://127.0.0.1:8555/main"}
        )
    changed = services.update_camera(
        actor=system_actor(), camera=camera, changes={"address": "rtsp://10.0.0.6/main"}
    )

    assert changed.trusted_origin == ""
    assert login_of(changed) == ("", "")


def test_a_new_name_keeps_the_login(home: Account) -> None:
    camera = services.update_camera(actor=system_actor(), camera=add(home), changes={"name": "Gate"})

    assert camera.name == "Gate"
    assert login_of(camera) == ("admin", "p@ss")


def test_a_removed_camera_takes_its_files_along_once_nothing_writes(
    home: Account, settings: Any, tmp_path: Path
) -> None:
    settings.OMMA_DATA_DIR = tmp_path
    root = Path(ensure_default_volume().root)
    camera, kept = add(home), add(home)
    source, stream = Source.objects.get(camera=camera), Stream.objects.get(camera=camera)
    others = [Stream.objects.get(camera=kept).id, uuid7()]  # the second is known to nobody
    for stream_id in (stream.id, *others):
        (root / "segments" / str(stream_id)).mkdir(parents=True)
    Lease.objects.create(object_id=source.id, kind="source", owner="w", lease_until="2100-01-01T00:00:00Z")

    services.delete_camera(actor=system_actor(), camera=camera)
    task = Task.objects.get(kind="remove_footage")
    run_task(task.id)
    assert (root / "segments" / str(stream.id)).is_dir()

    Lease.objects.update(owner="", lease_until=None)
    run_task(task.id)

    assert Task.objects.get(id=task.id).state == TaskState.DONE
    assert sorted(path.name for path in (root / "segments").iterdir()) == sorted(map(str, others))
    assert not Lease.objects.filter(object_id=source.id).exists()
    assert Outbox.objects.filter(kind="camera.deleted").count() == 1


def test_footage_on_a_volume_that_is_away_goes_when_that_is_back(
    home: Account, settings: Any, tmp_path: Path
) -> None:
    settings.OMMA_DATA_DIR = tmp_path
    volume = ensure_default_volume()
    identity = Path(volume.root) / IDENTITY_FILE
    camera = add(home)
    stream = Stream.objects.get(camera=camera)
    own(stream, 5)
    CaptureSink().commit(Life(stream, volume, (5 << 20) + 1).whole(1, 0, 4))
    folder = Path(volume.root) / "segments" / str(stream.id)
    folder.mkdir(parents=True)
    identity.rename(tmp_path / "away")

    services.delete_camera(actor=system_actor(), camera=camera)
    task = Task.objects.get(kind="remove_footage")
    run_task(task.id)
    task.refresh_from_db()
    assert task.state == TaskState.PENDING
    assert not Segment.objects.exists()
    nudge_waiting(timezone.now() + timedelta(minutes=9))
    assert Task.objects.get(id=task.id).enqueued_at == task.enqueued_at  # not yet

    (tmp_path / "away").rename(identity)
    run_task(task.id)

    assert Task.objects.get(id=task.id).state == TaskState.DONE
    assert not folder.exists()


def test_what_was_removed_meanwhile_is_not_removed_or_changed_again(home: Account) -> None:
    camera = add(home)
    seen_by_another = Camera.objects.get(pk=camera.pk)
    services.delete_camera(actor=system_actor(), camera=camera)

    with pytest.raises(NotVisibleError):
        services.delete_camera(actor=system_actor(), camera=seen_by_another)
    with pytest.raises(NotVisibleError):
        services.update_camera(actor=system_actor(), camera=seen_by_another, changes={"name": "Gate"})

    assert AuditEntry.objects.filter(action="camera.deleted").count() == 1


def test_an_address_that_comes_back_as_it_was_shown_keeps_its_secrets(home: Account) -> None:
    address = "rtsp://10.0.0.5/user=admin_password=canary_channel=1"
    camera = add(home, address=address)

    changed = services.update_camera(
        actor=system_actor(), camera=camera, changes={"address": redact(address), "name": "Gate"}
    )

    assert (changed.name, changed.address) == ("Gate", redact(address))
    assert whole_address(changed.address, changed.secret) == address


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://10.0.0.5/user=admin_password=canary_channel=1",
        "http://10.0.0.5/video.mjpg?user=admin&pwd=canary&channel=2",
        "rtsp://10.0.0.5/main?token=canary;pass=canary2",
    ],
)
def test_secrets_inside_an_address_are_sealed(home: Account, address: str) -> None:
    camera = add(home, address=address)
    stored = Camera.objects.filter(pk=camera.pk).values_list("address", "secret", "options").get()

    moved = services.update_camera(
        actor=system_actor(), camera=camera, changes={"username": "ada", "password": "pw"}
    )

    assert "canary" not in str(stored)
    assert whole_address(stored[0], stored[1]) == address
    assert whole_address(moved.address, moved.secret) == address
    assert login_of(moved) == ("ada", "pw")


def test_another_secret_in_the_same_place_is_another_address(home: Account) -> None:
    camera = add(home, address="http://10.0.0.5/video?password=old")

    changed = services.update_camera(
        actor=system_actor(), camera=camera, changes={"address": "http://10.0.0.5/video?password=new"}
    )

    assert whole_address(changed.address, changed.secret) == "http://10.0.0.5/video?password=new"


@pytest.mark.parametrize("name", ["Door\nERROR all is lost", "\u202egnp.exe", "a\x07b", "\u2066x"])
def test_a_name_gives_no_hidden_orders(home: Account, name: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        add(home, name=name)

    assert refused.value.field == "name"
    assert not Camera.objects.exists()


@pytest.mark.parametrize("name", ["👩‍👧 Tür", "دوربین‌ها", "בית", "正门"])  # noqa: RUF001 - that is the point
def test_names_of_every_language_are_taken(home: Account, name: str) -> None:
    assert add(home, name=name).name == name
