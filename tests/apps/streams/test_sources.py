"""From rows to what a child is told: wanted sources, checked addresses, opened secrets."""

from pathlib import Path
from typing import Any

import pytest

from apps.accounts.access import system_actor
from apps.accounts.models import Account
from apps.cameras.models import Camera
from apps.cameras.services import update_camera
from apps.streams import services
from apps.streams.models import Source, Stream
from apps.streams.sources import WantedSources, make_spec, modes_of
from apps.streams.volumes import ensure_default_volume
from omma_engine.errors import SourceForbiddenError, SourceNotFoundError
from omma_engine.types import RecordMode, SourceKind
from tests.apps.streams.conftest import add_stream
from tests.factories import make_account


@pytest.fixture
def home(db: Any, data_dir: Path) -> Account:
    ensure_default_volume()
    return make_account()


def wanted() -> Any:
    return WantedSources("this-host").desired()


def test_a_camera_becomes_a_spec_with_its_login(home: Account, data_dir: Path) -> None:
    stream = add_stream(home, "rtsp://admin:p%40ss@127.0.0.1:8554/main", mode="events")
    (item,) = wanted()

    spec = make_spec(item)

    assert spec.kind is SourceKind.RTSP
    assert spec.url == "rtsp://admin:p%40ss@127.0.0.1:8554/main"
    assert spec.numeric_host == "127.0.0.1"
    (stream_spec,) = spec.streams
    assert (stream_spec.stream_id, stream_spec.mode) == (stream.id, RecordMode.EVENTS)
    assert stream_spec.volume_root == data_dir / "volumes" / "default"
    assert "p@ss" not in repr(item)
    assert "p@ss" not in str(Camera.objects.values().get())


def test_an_address_that_lost_its_trust_is_refused(home: Account) -> None:
    stream = add_stream(home, "rtsp://127.0.0.1:8554/main")
    Camera.objects.filter(id=stream.camera_id).update(trusted_origin="")
    (item,) = wanted()

    with pytest.raises(SourceForbiddenError):
        make_spec(item)


def test_a_file_that_is_gone_is_not_found(home: Account, tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    video.touch()
    add_stream(home, str(video))
    video.unlink()
    (item,) = wanted()

    with pytest.raises(SourceNotFoundError):
        make_spec(item)


@pytest.mark.parametrize("field", ["source", "camera", "account"])
def test_what_is_switched_off_is_not_wanted(home: Account, field: str) -> None:
    stream = add_stream(home, "synthetic:yard")
    assert len(wanted()) == 1

    match field:
        case "source":
            Source.objects.filter(id=stream.source_id).update(is_wanted=False)
        case "camera":
            update_camera(actor=system_actor(), camera=stream.camera, changes={"is_enabled": False})
        case _:
            Account.objects.update(is_active=False)

    assert wanted() == []


def test_only_what_a_child_must_restart_for_changes_the_fingerprint(home: Account) -> None:
    stream = add_stream(home, "synthetic:yard", mode="events")
    (first,) = wanted()

    services.set_mode(actor=system_actor(), stream=stream, mode="off")
    services.set_roll(actor=system_actor(), stream=stream, pre_roll_s=5, post_roll_s=5)
    (second,) = wanted()
    assert second.fingerprint == first.fingerprint
    assert modes_of(second) == [(str(stream.id), "off")]

    services.restart_stream(actor=system_actor(), stream=stream)
    (third,) = wanted()
    assert third.fingerprint != first.fingerprint


def test_labels_place_a_source(home: Account) -> None:
    stream = add_stream(home, "synthetic:yard")
    Source.objects.filter(id=stream.source_id).update(labels={"site": "barn"})

    assert wanted() == []
    assert len(WantedSources("this-host", {"site": "barn", "gpu": "1"}).desired()) == 1


def test_where_a_source_is_written_is_remembered_without_a_database(home: Account, data_dir: Path) -> None:
    stream = add_stream(home, "synthetic:yard")
    sources = WantedSources("this-host")
    sources.desired()
    Stream.objects.all().delete()

    (place,) = sources.places(stream.source_id)
    assert (place.stream_id, place.volume_root) == (stream.id, data_dir / "volumes" / "default")


def test_a_worker_takes_what_its_labels_fit(home: Account) -> None:
    plain = add_stream(home, "rtsp://127.0.0.1:8554/plain")
    north = add_stream(home, "rtsp://127.0.0.1:8554/north", options={"labels": {"site": "north"}})
    special = add_stream(home, "rtsp://127.0.0.1:8554/special", options={"labels": {"site": "north"}})
    Source.objects.filter(id=special.source_id).update(labels={"gpu": "0"})

    def taken_by(**labels: str) -> set[object]:
        return {item.object_id for item in WantedSources("this-host", labels).desired()}

    assert taken_by() == {plain.source_id}
    assert taken_by(site="north") == {north.source_id}
    assert taken_by(site="north", gpu="0", rack="7") == {north.source_id, special.source_id}
    assert taken_by(site="south") == set()


def test_labels_are_no_reason_to_restart_and_one_session_is_told_to_the_child(home: Account) -> None:
    stream = add_stream(home, "rtsp://127.0.0.1:8554/main")
    (before,) = wanted()
    camera = Camera.objects.get(id=stream.camera_id)

    update_camera(actor=system_actor(), camera=camera, changes={"options": {"single_session": True}})
    (item,) = wanted()

    assert (before.is_exclusive, item.is_exclusive) == (False, True)
    assert make_spec(item).options == {"single_session": True}
    update_camera(
        actor=system_actor(),
        camera=camera,
        changes={"options": {"single_session": True, "labels": {"site": "north"}}},
    )
    (labelled,) = WantedSources("this-host", {"site": "north"}).desired()
    assert labelled.fingerprint == item.fingerprint
