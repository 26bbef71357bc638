"""From what model hosts and rules say to what targets are told of it."""

import base64
import json
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.alerts.models import Delivery
from apps.core.models import Outbox
from apps.core.outbox import OutboxRow
from apps.inference.models import Event, Track
from apps.inference.sinks import InferenceSink
from apps.rules import firing
from omma_engine.ids import uuid7
from tests.apps.alerts.conftest import House, MakeTarget, hand_over, send
from tests.apps.alerts.sink import Sink
from tests.apps.inference.rows import START_US, Host, hold_lease, make_analytic

JPEG = b"\xff\xd8 a picture \xff\xd9"


@pytest.fixture
def host(house: House) -> Host:
    analytic = make_analytic(house.stream)
    hold_lease(analytic)
    Outbox.objects.all().delete()
    return Host(analytic)


@pytest.fixture
def picture(settings: LazySettings, tmp_path: Path) -> str:
    settings.OMMA_DATA_DIR = tmp_path
    (tmp_path / "thumbnails").mkdir()
    (tmp_path / "thumbnails/best.jpg").write_bytes(JPEG)
    return "thumbnails/best.jpg"


def test_a_track_is_told_once_when_it_is_over_with_its_best_picture(
    make_target: MakeTarget, host: Host, sink: Sink, picture: str
) -> None:
    make_target(wants=["track"], rules=[], includes_picture=True)
    track_id = uuid7(START_US // 1000)
    InferenceSink().commit([host.track("open", track_id=track_id)])
    over = host.track("close", track_id=track_id, end_us=START_US + 5_000_000)
    InferenceSink().commit([over])
    InferenceSink().commit([over])
    Track.objects.update(crop=picture)
    hand_over()

    send()

    (hit,) = sink.hits
    body = json.loads(hit.body)
    assert (body["type"], body["data"]["track_id"], body["data"]["label"]) == (
        "track",
        str(track_id),
        "person",
    )
    assert base64.b64decode(body["picture"]["base64"]) == JPEG


def test_nothing_is_said_of_tracks_that_nobody_wants(make_target: MakeTarget, host: Host) -> None:
    make_target(wants=["event"])

    InferenceSink().commit([host.track("close", track_id=uuid7(START_US // 1000))])

    assert not Outbox.objects.filter(kind="track.closed").exists()


def test_a_match_fires_the_rule_and_tells_its_targets(
    house: House, make_target: MakeTarget, host: Host, sink: Sink, picture: str
) -> None:
    make_target(includes_picture=True)
    make_target(name="Events", address=sink.url("/events"), wants=["event"], rules=[])
    event_id = uuid7(START_US // 1000)
    said = host.match("start", event_id=event_id)
    said.payload["rule_id"] = str(house.rule.pk)
    InferenceSink().commit([said])
    Event.objects.update(snapshot=picture)
    for row in Outbox.objects.filter(kind="rule.matched"):
        firing.fire(OutboxRow.of(row))
        firing.fire(OutboxRow.of(row))
    hand_over()

    send()

    told = {hit.path: json.loads(hit.body) for hit in sink.hits}
    assert len(sink.hits) == Delivery.objects.count() == 2
    assert (told["/hook"]["type"], told["/hook"]["data"]["event_id"]) == ("rule", str(event_id))
    assert (told["/hook"]["data"]["rule"], told["/hook"]["data"]["outcome"]) == ("Visitors", "recorded")
    assert base64.b64decode(told["/hook"]["picture"]["base64"]) == JPEG
    assert told["/events"]["type"] == "event"
    assert told["/events"]["data"]["picture"] == f"/media/v1/events/{event_id}/snapshot.jpg"
    assert "picture" not in told["/events"]


def test_a_picture_elsewhere_is_not_read(
    make_target: MakeTarget, host: Host, sink: Sink, picture: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"key")
    make_target(wants=["track"], rules=[], includes_picture=True)
    for name in ("secret", "thumbnails/../secret", "/etc/passwd", "thumbnails/none.jpg"):
        track_id = uuid7()
        InferenceSink().commit([host.track("close", track_id=track_id)])
        Track.objects.filter(pk=track_id).update(crop=name)
    hand_over()

    send()

    assert len(sink.hits) == 4
    assert [hit for hit in sink.hits if "picture" in json.loads(hit.body)] == []
