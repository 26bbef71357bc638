"""Statistics: right sums, few queries, and nothing of cameras that one may not see."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.inference.models import MinuteSummary, Track
from apps.recordings import statistics
from apps.recordings.api import statistics as api
from apps.recordings.models import CauseKind, Recording, RecordingState
from apps.streams.models import Gap, Segment, Source, Stream
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.recordings.archive import Archive, at, make_archive

URL = "/api/v1/statistics/"
NOON_TO_MIDNIGHT_S = 12 * 3600
RANGE = {"start": "2026-11-20T12:00:00Z", "end": "2026-11-22T00:00:00Z"}


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a day after noon, whatever day it is."""
    monkeypatch.setattr(api, "timezone", SimpleNamespace(now=lambda: at(24 * 3600)))


@pytest.fixture
def client(archive: Archive) -> Client:
    client = Client()
    client.force_login(factories.make_member(archive.account, "viewer").user)
    return client


def fill(archive: Archive) -> None:
    """Add a minute before midnight, two after it, an open gap, a recording and what was seen."""
    stream = archive.stream
    ids: dict[str, Any] = {"account_id": archive.account.pk, "camera_id": stream.camera_id}
    archive.add_rows(NOON_TO_MIDNIGHT_S - 60, 60, 60, 60, size_bytes=6000)
    Gap.objects.create(**ids, stream=stream, start=at(0), end=at(30), cause="camera")
    Gap.objects.create(**ids, stream=stream, start=at(23 * 3600), cause="worker")
    Recording.objects.create(
        account=archive.account, camera=stream.camera, stream=stream, number=Recording.objects.count(),
        cause_kind=CauseKind.RULE, state=RecordingState.DONE,
        wanted_start=at(NOON_TO_MIDNIGHT_S), start=at(NOON_TO_MIDNIGHT_S), end=at(NOON_TO_MIDNIGHT_S + 30),
    )  # fmt: skip
    for minute, labels in ((0, {"person": 2, "cat": 1}), (60, {"person": 1})):
        MinuteSummary.objects.create(**ids, stream_id=stream.pk, minute=at(minute), labels=labels)


def another(archive: Archive) -> Archive:
    camera = factories.make_camera(archive.account, "Another")
    source = Source.objects.create(account=archive.account, camera=camera)
    stream = Stream.objects.create(account=archive.account, camera=camera, source=source)
    return Archive(archive.account, stream, archive.volume)


def test_sums_in_all_by_camera_by_day_and_by_label(archive: Archive, client: Client) -> None:
    fill(archive)
    size = sum(row.durable_bytes for row in Segment.objects.all())

    answer = client.get(URL, RANGE).json()

    totals = answer["totals"]
    assert (totals["segments"], totals["recorded_s"], totals["recordings"]) == (3, 180, 1)
    assert totals["stored_bytes"] == size
    assert (totals["gaps"], totals["gap_s"]) == (2, 30 + 3600)
    assert answer["gap_s_by_cause"] == {"camera": 30, "worker": 3600}
    assert [(one["day"], one["segments"], one["recordings"]) for one in answer["days"]] == [
        ("2026-11-20", 1, 0), ("2026-11-21", 2, 1),
    ]  # fmt: skip
    assert [(one["gaps"], one["gap_s"]) for one in answer["days"]] == [(1, 30), (1, 3600)]
    assert answer["causes"] == [
        {"cause": "camera", "gaps": 1, "gap_s": 30}, {"cause": "worker", "gaps": 1, "gap_s": 3600},
    ]  # fmt: skip
    assert answer["cameras"] == [
        {"camera": str(archive.stream.camera_id), "camera_name": archive.stream.camera.name, **totals}
    ]
    assert answer["labels"] == [
        {"label": "person", "sightings": 3, "minutes": 2}, {"label": "cat", "sightings": 1, "minutes": 1},
    ]  # fmt: skip


def test_it_costs_the_same_queries_for_many_cameras(
    archive: Archive, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    fill(archive)
    with django_assert_num_queries(8):  # 2 to know who asks, 1 for the cameras, 5 for the figures
        client.get(URL, RANGE)
    for _ in range(4):
        camera = another(archive)
        camera.stream.camera.name = str(uuid7())
        camera.stream.camera.save()
        fill(camera)

    with django_assert_num_queries(8):
        answer = client.get(URL, RANGE).json()

    assert (answer["totals"]["segments"], len(answer["cameras"])) == (15, 5)


def test_cameras_that_may_not_be_seen_count_nothing(archive: Archive, tmp_path: Any) -> None:
    hidden, mine = archive, another(archive)
    elsewhere = make_archive(tmp_path / "else", factories.make_account("Elsewhere"))
    for one in (hidden, mine, elsewhere):
        fill(one)
    client = Client()
    client.force_login(factories.make_limited_member(archive.account, "viewer", [mine.stream.camera]).user)

    answer = client.get(URL, RANGE).json()

    assert [one["camera"] for one in answer["cameras"]] == [str(mine.stream.camera_id)]
    assert answer["totals"]["segments"] == 3
    for foreign in (hidden.stream.camera_id, elsewhere.stream.camera_id, uuid7()):
        assert client.get(URL, {**RANGE, "camera": str(foreign)}).status_code == 404
    assert Client().get(URL, RANGE).status_code == 401


def test_bad_ranges_name_their_field(archive: Archive, client: Client) -> None:
    bad: list[tuple[dict[str, str], str]] = [
        ({"start": RANGE["start"]}, "end"),
        ({"start": RANGE["end"], "end": RANGE["start"]}, "end"),
        ({"start": "2026-01-01T00:00:00Z", "end": RANGE["end"]}, "end"),
        ({**RANGE, "camera": "door"}, "camera"),
        ({**RANGE, "time_zone": "Mars/Olympus"}, "time_zone"),
        ({**RANGE, "time_zone": "../../etc/passwd"}, "time_zone"),
        ({**RANGE, "tracks": "1000"}, "tracks"),
        ({**RANGE, "day": "2026-11-20"}, "start"),
        ({"day": "2026-02-30"}, "day"),
        ({"day": "9999-12-31", "days": "2"}, "day"),
        ({"day": "2026-11-20", "days": "94"}, "days"),
        ({"days": "2"}, "day"),
        ({"day": "2011-12-30", "time_zone": "Pacific/Apia"}, "day"),
    ]

    for query, field in bad:
        answer = client.get(URL, query)
        assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field]), query


def test_days_are_those_of_the_place_that_asks(archive: Archive, client: Client) -> None:
    fill(archive)

    answer = client.get(
        URL, {"day": "2026-11-20", "days": "2", "time_zone": "Pacific/Auckland"}
    ).json()  # thirteen hours ahead: the twenty-first begins at eleven

    assert (answer["start"], answer["end"]) == ("2026-11-19T11:00:00.000000Z", "2026-11-21T11:00:00.000000Z")
    assert [(one["day"], one["segments"], one["gaps"]) for one in answer["days"]] == [("2026-11-21", 3, 1)]
    assert answer["days"][0]["start"] == "2026-11-20T11:00:00.000000Z"


def test_a_long_gap_is_one_and_its_time_is_that_of_each_day(archive: Archive, client: Client) -> None:
    Gap.objects.create(
        account_id=archive.account.pk, camera_id=archive.stream.camera_id, stream=archive.stream,
        start=at(-48 * 3600), end=at(NOON_TO_MIDNIGHT_S + 600), cause="policy",
    )  # fmt: skip

    answer = client.get(URL, {"day": "2026-11-19", "days": "3"}).json()

    assert [(one["gaps"], one["gap_s"]) for one in answer["days"]] == [(1, 86400), (0, 86400), (0, 600)]
    assert answer["totals"]["gap_s_by_cause"] == {"policy": 2 * 86400 + 600}
    assert (answer["totals"]["gaps"], answer["cameras"][0]["gaps"]) == (1, 1)


def test_tracks_that_were_found_most_often(
    archive: Archive, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = archive.stream
    for number, hits in ((1, 5), (2, 50), (3, 20)):
        Track.objects.create(
            id=uuid7(int(at(number).timestamp() * 1000)), account_id=archive.account.pk,
            camera_id=stream.camera_id, stream_id=stream.pk, analytic_id=uuid7(), number=number,
            label="person", confidence=0.9, start=at(number), end=at(number + 60), best_at=at(number),
            hits=hits,
        )  # fmt: skip

    def found(**query: Any) -> list[int]:
        answer = client.get(URL, {**RANGE, **query}).json()
        return [one["number"] for one in answer["tracks"]] + [answer["has_all_tracks"]]

    assert found() == [2, 3, 1, True]
    assert found(tracks=1) == [2, True]
    assert found(tracks=0) == [True]
    monkeypatch.setattr(statistics, "MAX_RANKED_TRACKS", 2)
    assert found(tracks=1) == [2, False]
