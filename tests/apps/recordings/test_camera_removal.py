"""A camera with held recordings stays until they are released."""

import pytest
from django.test import Client

from apps.cameras.models import Camera
from apps.recordings.models import Recording
from apps.streams.models import Segment
from tests import factories
from tests.apps.recordings.archive import Archive
from tests.apps.recordings.test_retention_classes import recorded


@pytest.fixture
def admin(archive: Archive) -> Client:
    client = Client()
    client.force_login(factories.make_member(archive.account, "admin").user)
    return client


def test_a_camera_with_a_held_recording_is_not_removed(archive: Archive, admin: Client) -> None:
    archive.add_rows(0, 60)
    held = recorded(archive, 0, 30, is_held=True)
    address = f"/api/v1/cameras/{archive.stream.camera_id}/"

    refused = admin.delete(address)

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "held_recordings")
    assert "held recording" in refused.json()["error"]["message"]
    assert Camera.objects.count() == Segment.objects.count() == 1
    Recording.objects.filter(pk=held.pk).update(is_held=False)
    assert admin.delete(address).status_code == 204
    assert not Camera.objects.exists()
