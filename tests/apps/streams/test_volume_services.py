"""Operators add, change, remove and adopt volumes; what would lose or mix up footage is refused."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from apps.accounts.access import system_actor
from apps.core.exceptions import OmmaError
from apps.core.models import AuditEntry, Outbox
from apps.streams import volume_services
from apps.streams.models import Volume, VolumeState
from apps.streams.volume_adoption import adopt_volume
from apps.streams.volume_choice import recording_order
from apps.streams.volume_states import VolumeWatch, state_of
from apps.streams.volumes import ensure_default_volume, installation_id
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.streams.conftest import add_stream

pytestmark = pytest.mark.django_db
URL = "/api/v1/volumes/"
GB = 1 << 30


@pytest.fixture
def disk(tmp_path: Path, data_dir: Path) -> Path:
    ensure_default_volume()
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(factories.make_superuser())
    return client


def post(client: Client, url: str = URL, **body: Any) -> Any:
    return client.post(url, body, content_type="application/json")


def identity(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "omma-volume.json").read_text()))


def test_an_empty_folder_becomes_a_volume(disk: Path, root: Client) -> None:
    answer = post(root, name="Barn", root=str(disk), min_free_bytes=0, max_bytes=64 << 20)

    row = answer.json()
    assert (answer.status_code, row["state"], row["tier"]) == (201, "ready", "recording")
    assert row["total_bytes"] > 0
    assert identity(disk) == {"volume_id": row["id"], "format": 1, "installation": str(installation_id())}
    assert AuditEntry.objects.filter(action="volume.created", subject_name="Barn").exists()
    assert Outbox.objects.filter(kind="system.updated", subject_id=UUID(row["id"])).exists()


def fill(folder: Path) -> None:
    (folder / "holiday.jpg").touch()


def make_foreign(folder: Path) -> None:
    text = json.dumps({"volume_id": str(uuid7()), "format": 1, "installation": str(uuid7())})
    (folder / "omma-volume.json").write_text(text)


@pytest.mark.parametrize(
    ("body", "prepare", "field"),
    [
        ({"root": "relative/path"}, None, "root"),
        ({"root": "/no/such/folder"}, None, "root"),
        ({"root": "/proc/self"}, None, "root"),
        ({"root": "/"}, None, "root"),
        ({"root": "s3://ab"}, None, "root"),
        ({}, fill, "root"),
        ({}, make_foreign, "root"),
        ({"name": "default"}, None, "name"),
        ({"name": " "}, None, "name"),
        ({"max_bytes": -1}, None, "max_bytes"),
        ({"max_bytes": 1000}, None, "max_bytes"),
        ({"max_bytes": 1 << 59}, None, "max_bytes"),
        ({"min_free_bytes": -5}, None, "min_free_bytes"),
        ({"min_free_bytes": 1 << 59}, None, "min_free_bytes"),
        ({"tier": "attic"}, None, "tier"),
        ({"kind": "s3", "root": "s3://bucket", "tier": "recording"}, None, "tier"),
        ({"kind": "s3", "root": "s3://bucket"}, None, "access_key"),
        ({"node_name": "elsewhere"}, None, "node_name"),
    ],
)
def test_what_cannot_be_a_volume_is_refused_at_its_field(
    disk: Path, root: Client, body: dict[str, Any], prepare: Callable[[Path], None] | None, field: str
) -> None:
    if prepare is not None:
        prepare(disk)
    before = sorted((one.name, one.read_bytes()) for one in disk.iterdir())

    answer = post(root, **{"name": "Barn", "root": str(disk), **body})

    assert answer.status_code in {400, 409}
    assert list(answer.json()["error"]["fields"]) == [field]
    assert Volume.objects.count() == 1
    assert sorted((one.name, one.read_bytes()) for one in disk.iterdir()) == before


@pytest.mark.parametrize("where", ["inside", "around", "same", "link"])
def test_volumes_do_not_lie_in_each_other(disk: Path, root: Client, where: str) -> None:
    default = Path(Volume.objects.get().root)
    folder = {
        "inside": default / "inner",
        "around": default.parent,
        "same": default,
        "link": disk.parent / "link",
    }[where]
    if where == "link":
        folder.symlink_to(default)
    folder.mkdir(exist_ok=True)

    answer = post(root, name="Barn", root=str(folder))

    assert answer.status_code in {400, 409}
    assert list(answer.json()["error"]["fields"]) == ["root"]


@pytest.mark.skipif(os.geteuid() == 0, reason="not run: root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_refused(disk: Path, root: Client) -> None:
    disk.chmod(0o500)

    assert list(post(root, name="Barn", root=str(disk)).json()["error"]["fields"]) == ["root"]


def test_only_superusers_see_and_change_volumes(disk: Path) -> None:
    member = factories.make_member(factories.make_account(), "admin")
    client = Client()
    client.force_login(member.user)

    assert post(client, name="Barn", root=str(disk)).status_code == 404
    address = f"{URL}{Volume.objects.get().id}/"
    assert client.patch(address, {"name": "mine"}, content_type="application/json").status_code == 404
    assert list(disk.iterdir()) == []


def test_limits_and_place_change_and_another_volumes_folder_is_refused(disk: Path, root: Client) -> None:
    row = post(root, name="Barn", root=str(disk), min_free_bytes=0).json()
    address = f"{URL}{row['id']}/"
    moved = disk.rename(disk.with_name("moved"))

    def patch(**body: Any) -> Any:
        return root.patch(address, body, content_type="application/json")

    assert patch(max_bytes=1 << 30).json()["max_bytes"] == 1 << 30
    assert patch(root=str(moved)).json()["state"] == "ready"
    (disk.parent / "other").mkdir()
    assert list(patch(root=str(disk.parent / "other")).json()["error"]["fields"]) == ["root"]
    assert Volume.objects.get(name="Barn").root == str(moved)


def test_a_volume_goes_only_without_footage_and_comes_back_as_itself(disk: Path, root: Client) -> None:
    row = post(root, name="Barn", root=str(disk), min_free_bytes=0).json()
    assert root.delete(f"{URL}{Volume.objects.get(is_default=True).id}/").status_code == 409

    assert root.delete(f"{URL}{row['id']}/").status_code == 204

    assert post(root, name="Barn", root=str(disk), min_free_bytes=0).json()["id"] == row["id"]


def test_a_stream_chooses_its_volume(disk: Path, root: Client) -> None:
    volume = post(root, name="Barn", root=str(disk), min_free_bytes=0).json()
    archive = disk.with_name("archive")
    archive.mkdir()
    attic = post(root, name="Attic", root=str(archive), min_free_bytes=0, tier="archive").json()
    account = factories.make_account()
    stream = add_stream(account, "synthetic:yard")
    address = f"/api/v1/streams/{stream.id}/"

    def patch(client: Client, volume_id: str) -> Any:
        return client.patch(address, {"volume": volume_id}, content_type="application/json")

    assert patch(root, volume["id"]).json()["volume"] == volume["id"]
    assert list(patch(root, attic["id"]).json()["error"]["fields"]) == ["volume"]
    member = Client()
    member.force_login(factories.make_member(account, "admin").user)
    assert list(patch(member, volume["id"]).json()["error"]["fields"]) == ["volume"]


def test_the_wanted_ready_volume_comes_first_and_the_roomiest_otherwise() -> None:
    def volume(name: str, free_gb: int, state: str = "ready", tier: str = "recording") -> Volume:
        return Volume(
            id=uuid7(), name=name, free_bytes=free_gb * GB, min_free_bytes=GB, state=state, tier=tier
        )

    small, large, full = volume("small", 5), volume("large", 50), volume("full", 0, "full")
    gone, attic = volume("gone", 90, "missing"), volume("attic", 900, tier="archive")
    rows = [gone, full, small, attic, large]

    def names(**wish: UUID) -> list[str]:
        return [one.name for one in recording_order(rows, **wish)]

    assert names() == ["large", "small", "full", "gone"]
    assert names(wanted=small.id) == ["small", "large", "full", "gone"]
    assert names(wanted=gone.id) == ["large", "small", "full", "gone"]
    assert names(latest=small.id)[0] == "large"
    small.free_bytes = 45 * GB
    assert names(latest=small.id)[0] == "small"


def test_a_lost_database_finds_its_volume_foreign_until_it_is_adopted(data_dir: Path) -> None:
    first = ensure_default_volume()
    kept = Path(first.root) / "segments" / "x.mp4"
    kept.parent.mkdir()
    kept.write_bytes(b"footage")
    folder_id = first.id
    Volume.objects.all().delete()
    installation_id_before = installation_id()
    from apps.streams.models import Installation

    Installation.objects.all().delete()
    assert installation_id() != installation_id_before

    placeholder = ensure_default_volume()
    assert state_of(placeholder) == VolumeState.FOREIGN
    assert identity(Path(first.root))["installation"] == str(installation_id_before)
    adopted = adopt_volume(actor=system_actor(), root=Path(first.root))

    assert (adopted.id, adopted.state, adopted.is_default) == (folder_id, "ready", True)
    assert identity(Path(first.root))["installation"] == str(installation_id())
    assert Volume.objects.count() == 1
    assert kept.read_bytes() == b"footage"


def test_adopting_what_is_no_volume_is_refused(disk: Path) -> None:
    with pytest.raises(OmmaError, match="no volume"):
        adopt_volume(actor=system_actor(), root=disk)


def test_the_watch_looks_again_and_again_and_stops(wait_until: Callable[..., None]) -> None:
    looks: list[int] = []
    watch = VolumeWatch(every_s=0.01, check=lambda: looks.append(1))

    watch.start()
    wait_until(lambda: len(looks) >= 3)
    watch.stop()
    watch.stop()

    seen = len(looks)
    assert not watch._thread.is_alive() if watch._thread else False
    assert len(looks) == seen


def test_update_takes_the_service_too(disk: Path) -> None:
    volume = volume_services.add_volume(actor=system_actor(), name="Barn", root=str(disk), min_free_bytes=0)

    changed = volume_services.update_volume(actor=system_actor(), volume=volume, changes={"name": "Shed"})

    assert (changed.name, changed.id) == ("Shed", volume.id)
