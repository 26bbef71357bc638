"""An archive in a bucket, through django-storages and a service of the tests' own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from apps.recordings import archiving, retention
from apps.recordings.clips import clip_of_range
from apps.streams.models import Segment, Transfer, Volume
from apps.streams.stores.bucket import cache_folder, clean_cache, is_installed
from apps.streams.volume_states import check_volumes
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.recordings.archive import Archive, at
from tests.apps.recordings.bucket_server import Bucket, serving
from tests.apps.recordings.test_archiving import archive_after, hashed

HOUR = 3600
KEYS = {"access_key": "AKIAEXAMPLE", "secret_key": "hunter2hunter2"}
pytestmark = pytest.mark.skipif(not is_installed(), reason="not run: the optional part [s3] is not installed")


@pytest.fixture
def service(settings: Settings) -> Iterator[tuple[str, Bucket]]:
    settings.OMMA_EGRESS_ALLOW = ["127.0.0.0/8"]
    with serving() as served:
        yield served


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(factories.make_superuser())
    return client


def add_bucket(root: Client, endpoint: str, **body: object) -> Volume:
    answer = root.post(
        "/api/v1/volumes/",
        {
            "name": "Cloud",
            "kind": "s3",
            "root": "s3://footage/house",
            "options": {"endpoint": endpoint},
            **KEYS,
            **body,
        },
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    assert b"hunter2" not in answer.content
    return Volume.objects.get(pk=answer.json()["id"])


def test_footage_moves_into_a_bucket_plays_from_there_and_goes(
    archive: Archive, service: tuple[str, Bucket], root: Client
) -> None:
    endpoint, bucket = service
    cloud = add_bucket(root, endpoint)
    rows = hashed(archive, archive.record(0, 2, 2))
    archive_after(archive, max_age_hours=24)
    key = clip_of_range(archive.stream.pk, at(0), at(4)).clip.key

    assert archiving.run(at(2 * HOUR)) == "2 moved, 0 settled"

    assert {f"house/{row.path}" for row in rows} | {"house/omma-volume.json"} == set(bucket.objects)
    assert set(Segment.objects.values_list("volume_id", flat=True)) == {cloud.pk}
    assert not list(archive.root.glob("*.mp4"))
    assert not Transfer.objects.exists()
    for path in (Path(str(cache_folder())).parent / "clips").glob("*.mp4"):
        path.unlink()
    assert clip_of_range(archive.stream.pk, at(0), at(4)).clip.key == key
    assert len(list(cache_folder().glob("*/*"))) == 2
    assert clean_cache() == 0
    assert retention.run(at(26 * HOUR)) == "2 expired, 2 files deleted"
    assert set(bucket.objects) == {"house/omma-volume.json"}


def test_a_bucket_that_does_not_answer_is_missing_and_loses_nothing(
    archive: Archive, service: tuple[str, Bucket], root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, bucket = service
    add_bucket(root, endpoint)
    hashed(archive, archive.record(0, 2))
    archive_after(archive)
    bucket.is_away = True
    monkeypatch.setattr("apps.streams.volume_states.ANSWER_WITHIN_S", 30.0)

    assert check_volumes() == 1
    assert archiving.run(at(2 * HOUR)) == "0 moved, 0 settled"

    assert Volume.objects.get(name="Cloud").state == "missing"
    assert Segment.objects.get().volume_id == archive.volume.pk
    assert list(archive.root.glob("*.mp4"))
    bucket.is_away = False
    assert check_volumes() == 1
    assert Volume.objects.get(name="Cloud").state == "ready"


def test_a_buckets_address_passes_the_egress_guard(
    archive: Archive, service: tuple[str, Bucket], root: Client, settings: Settings
) -> None:
    endpoint, bucket = service
    settings.OMMA_EGRESS_ALLOW = []

    answer = root.post(
        "/api/v1/volumes/",
        {"name": "Cloud", "kind": "s3", "root": "s3://footage", "options": {"endpoint": endpoint}, **KEYS},
        content_type="application/json",
    )

    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["root"]
    assert bucket.requests == []


def test_another_installations_bucket_is_refused(
    archive: Archive, service: tuple[str, Bucket], root: Client
) -> None:
    endpoint, bucket = service
    text = json.dumps({"volume_id": str(uuid7()), "format": 1, "installation": str(uuid7())}).encode()
    bucket.objects["house/omma-volume.json"] = text

    answer = root.post(
        "/api/v1/volumes/",
        {
            "name": "Cloud",
            "kind": "s3",
            "root": "s3://footage/house",
            "options": {"endpoint": endpoint},
            **KEYS,
        },
        content_type="application/json",
    )

    assert answer.json()["error"]["code"] == "volume_foreign", answer.json()
    assert bucket.objects == {"house/omma-volume.json": text}
