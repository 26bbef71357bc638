"""Volumes are known by what is in them, and looking at them never changes what is in them."""

import json
from pathlib import Path
from typing import Any

import pytest

from apps.core.models import Outbox
from apps.streams.models import Volume, VolumeState
from apps.streams.volume_choice import volumes_of_host
from apps.streams.volume_states import check_volumes, state_of
from apps.streams.volumes import ensure_default_volume, installation_id
from omma_engine.ids import uuid7

pytestmark = pytest.mark.django_db


def identity_file(volume: Volume) -> Path:
    return Path(volume.root) / "omma-volume.json"


def test_the_default_volume_is_made_once(data_dir: Path) -> None:
    first = ensure_default_volume()

    assert ensure_default_volume() == first
    assert json.loads(identity_file(first).read_text()) == {
        "volume_id": str(first.id),
        "format": 1,
        "installation": str(installation_id()),
    }
    assert Volume.objects.get().is_default
    assert state_of(first) == VolumeState.READY


def test_a_volume_that_was_moved_keeps_its_identity(data_dir: Path) -> None:
    first = ensure_default_volume()
    root = Path(first.root)
    root.rename(root.with_name("moved"))

    assert ensure_default_volume(root.with_name("moved")).id == first.id
    assert Volume.objects.get().root.endswith("moved")


def change_nothing(volume: Volume) -> None:
    return


def remove_identity(volume: Volume) -> None:
    identity_file(volume).unlink()


def swap_identity(volume: Volume) -> None:
    identity_file(volume).write_text(json.dumps({"volume_id": str(uuid7()), "format": 1}))


def want_more_room(volume: Volume) -> None:
    Volume.objects.filter(id=volume.id).update(min_free_bytes=1 << 60)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (change_nothing, "ready"),
        (remove_identity, "missing"),
        (swap_identity, "foreign"),
        (want_more_room, "full"),
    ],
)
def test_a_volumes_state_is_noted_and_told_when_it_changes(data_dir: Path, change: Any, state: str) -> None:
    volume = ensure_default_volume()
    change(volume)

    changed = check_volumes()

    assert Volume.objects.get().state == state
    assert changed == Outbox.objects.filter(subject_kind="volume").count() == (state != "ready")
    assert check_volumes() == 0


def test_a_machine_writes_to_its_own_volume(data_dir: Path) -> None:
    default = ensure_default_volume()
    barn = Volume.objects.create(name="barn", root="/barn", node_name="barn-host")

    rows = [default, barn]
    assert volumes_of_host("barn-host", rows) == [barn]
    assert volumes_of_host("elsewhere", rows) == [default]
