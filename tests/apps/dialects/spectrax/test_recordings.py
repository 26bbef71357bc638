"""SpectraX's list of recordings and single ones: XC5 to XC11."""

import json
import re
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.dialects.spectrax.clips import describe
from apps.inference.models import Track
from apps.recordings.models import RecordingState
from tests.apps.dialects.spectrax.yard import Seen, Yard, add_recording, add_track
from tests.apps.recordings.archive import at

LIST = "/api/recordings"
DAY_S = 24 * 3600


@pytest.fixture
def filled(yard: Yard) -> Yard:
    """Add ten recordings, one an hour, that differ in every column."""
    for number in range(10):
        archive = yard.back if number % 3 == 2 else yard.front
        seen = [Seen("person", 0.5 + number * 0.05)] if number % 2 else [Seen("car", 0.4)]
        add_recording(archive, number * 3600, number * 3600 + 10 + number % 4, seen)
    return yard


def ids(body: dict[str, Any]) -> list[int]:
    return [one["id"] for one in body["recordings"]]


def test_xc5_a_bare_request_lists_the_newest_hundred(filled: Yard) -> None:
    body = filled.get(LIST)

    times = [one["timestamp"] for one in body["recordings"]]
    assert (body["limit"], body["offset"], body["total"]) == (100, 0, 10)
    assert times == sorted(times, reverse=True)
    assert ids(body) == list(range(10, 0, -1))


def test_a_recording_has_exactly_the_documented_fields(yard: Yard) -> None:
    yard.front.add_rows(0, 60, size_bytes=6000)
    add_recording(
        yard.front, 10.5, 25.734567, [Seen("car", 0.87, 15), Seen("person", 0.95, 42)], labels=["person"],
        confidence=0.9, thumbnail="x.jpg",
    )  # fmt: skip

    (found,) = yard.get(LIST)["recordings"]

    file = "front-door_2026-11-20_12-00-10_1"
    assert found == {
        "id": 1,
        "timestamp": "2026-11-20T12:00:10.500000",
        "stream_id": str(yard.front.stream.pk),
        "stream_name": "front-door",
        "file_path": f"/recordings/{file}.mp4",
        "duration": 15.234567,
        "objects_detected": [
            {"class": "person", "confidence": 0.95, "bbox": [40, 24, 80, 72], "tracker_id": 42},
            {"class": "car", "confidence": 0.87, "bbox": [40, 24, 80, 72], "tracker_id": 15},
        ],
        "thumbnail_path": f"/recordings/{file}_thumb.jpg",
        "confidence": 0.95,
        "retained": 1,
        "tracker_ids": "[42, 15]",
        "file_url": f"/recordings/{file}.mp4",
        "thumbnail_url": f"/recordings/{file}_thumb.jpg",
        "mediaUrl": f"/api/recordings/file/{file}.mp4",
        "thumbnailMediaUrl": f"/api/recordings/file/{file}_thumb.jpg",
    }


BAD = (
    "limit=0", "limit=1001", "limit=abc", "limit=", "limit=1e2", "offset=-1", "offset=1.5", "sort_by=size",
    "sort_order=up", "min_confidence=1.5", "min_confidence=-0.1", "min_confidence=nan", "min_confidence=x",
    "start_date=yesterday", "end_date=2026-13-01", "start_date=0001-01-01", "end_date=9999-12-31",
    "offset=99999999999999999999",
)  # fmt: skip


@pytest.mark.parametrize("query", BAD)
def test_xc6_bad_parameters_are_refused_in_the_dialects_shape(yard: Yard, query: str) -> None:
    answer = yard.client.get(f"{LIST}?{query}")

    body = answer.json()
    assert answer.status_code == 400
    assert sorted(body) == ["detail", "message", "status"]
    assert body["status"] == "error"
    assert query.partition("=")[0] in body["message"]


def test_xc7_pages_fit_together(filled: Yard) -> None:
    whole = filled.get(LIST, limit=4)
    second = filled.get(LIST, limit=2, offset=2)
    beyond = filled.get(LIST, offset=10)

    assert second["recordings"] == whole["recordings"][2:]
    assert second["total"] == whole["total"] == 10
    assert (second["limit"], second["offset"]) == (2, 2)
    assert (beyond["total"], beyond["recordings"]) == (10, [])


def test_xc8_a_class_is_matched_exactly(filled: Yard) -> None:
    people = filled.get(LIST, object_type="person")

    assert people["total"] == 5
    assert all("person" in classes_of(one) for one in people["recordings"])
    assert filled.get(LIST, object_type="per")["total"] == 0
    assert filled.get(LIST, object_type="Person")["total"] == 0
    assert filled.get(LIST, object_type='person"\0\\')["total"] == 0


def classes_of(recording: dict[str, Any]) -> set[str]:
    return {one["class"] for one in recording["objects_detected"]}


def test_xc9_confidence_filters_and_sorts(filled: Yard) -> None:
    body = filled.get(LIST, min_confidence=0.8, sort_by="confidence", sort_order="desc")

    found = [one["confidence"] for one in body["recordings"]]
    assert found == [0.95, 0.85]
    assert filled.get(LIST, min_confidence="1.0")["total"] == 0
    assert filled.get(LIST, min_confidence=0)["total"] == 10


def test_every_order_is_total_and_reverses(filled: Yard) -> None:
    for sort_by, field in (
        ("timestamp", "timestamp"),
        ("confidence", "confidence"),
        ("duration", "duration"),
    ):
        down = filled.get(LIST, sort_by=sort_by)["recordings"]
        up = filled.get(LIST, sort_by=sort_by, sort_order="asc")["recordings"]

        assert up == down[::-1], sort_by
        assert [one[field] for one in up] == sorted(one[field] for one in up)


def test_xc10_a_bare_end_date_means_that_whole_day(yard: Yard) -> None:
    for start_s in (-DAY_S, -6 * 3600, 0, 11 * 3600, DAY_S):
        add_recording(yard.front, start_s, start_s + 10)

    assert ids(yard.get(LIST, start_date="2026-11-20", end_date="2026-11-20")) == [4, 3, 2]
    assert ids(yard.get(LIST, start_date="2026-11-20T12:00:00")) == [5, 4, 3]
    assert ids(yard.get(LIST, end_date="2026-11-20T12:00:00")) == [3, 2, 1]
    assert ids(yard.get(LIST, end_date="2026-11-20T13:59:59+02:00")) == [2, 1]
    assert ids(yard.get(f"{LIST}?end_date=2026-11-20T14:00:00+02:00")) == [3, 2, 1]  # `+` is a space there


def test_times_without_an_offset_are_in_the_zone_of_the_setting(yard: Yard, settings: Settings) -> None:
    add_recording(yard.front, 11.5 * 3600, 11.5 * 3600 + 10)
    settings.OMMA_SPECTRAX_TIME_ZONE = "Europe/Prague"

    (found,) = yard.get(LIST, start_date="2026-11-21", end_date="2026-11-21")["recordings"]

    assert found["timestamp"] == "2026-11-21T00:30:00.000000"
    assert found["file_url"] == "/recordings/front-door_2026-11-21_00-30-00_1.mp4"
    assert yard.get(f"{LIST}/stats")["oldest_recording"] == "2026-11-20T23:30:00Z"
    assert yard.get(LIST, start_date="2026-11-20", end_date="2026-11-20")["total"] == 0


def test_a_stream_is_matched_exactly(filled: Yard) -> None:
    assert filled.get(LIST, stream_id=filled.back.stream.pk)["total"] == 3
    assert filled.get(LIST, stream_id=filled.back.stream.camera_id)["total"] == 0
    assert filled.get(LIST, stream_id="front")["total"] == 0


def test_xc11_a_recording_is_what_the_list_shows(filled: Yard) -> None:
    listed = filled.get(LIST, limit=1)["recordings"][0]

    absent = filled.client.get(f"{LIST}/999999")
    words = [filled.client.get(f"{LIST}/{text}").status_code for text in ("abc", "-1", "1.0", "٣", "9" * 40)]

    assert filled.get(f"{LIST}/{listed['id']}") == listed
    message = "Recording 999999 not found"
    assert (absent.status_code, absent.json()) == (
        404,
        {"status": "error", "message": message, "detail": message},
    )
    assert words == [404] * 5
    assert filled.client.get(f"{LIST}/9999999999999999").status_code == 404


def test_a_slash_at_the_end_changes_nothing(filled: Yard) -> None:
    for address in ("/paths", "/status", LIST, f"{LIST}/stats", f"{LIST}/3"):
        assert filled.get(f"{address}/") == filled.get(address)


def test_what_still_grows_or_is_empty_is_not_listed(yard: Yard) -> None:
    add_recording(yard.front, 0, 10)
    grows = add_recording(yard.front, 20, 30)
    grows.state = RecordingState.ACTIVE
    grows.save()

    body = yard.get(LIST)

    assert (ids(body), body["total"]) == ([1], 1)


def test_objects_come_from_all_that_was_followed_meanwhile(yard: Yard) -> None:
    add_track(yard.front, -20, 5, Seen("dog", 0.6))
    add_track(yard.front, -20, -1, Seen("cat", 0.6))
    add_track(yard.front, 11, 12, Seen("bird", 0.6))
    add_track(yard.back, 2, 3, Seen("cow", 0.6))
    add_recording(yard.front, 0, 10, [Seen("person", 0.7)], labels=["person", "face"], confidence=0.8)

    (found,) = yard.get(LIST)["recordings"]

    assert [(one["class"], one["confidence"]) for one in found["objects_detected"]] == [
        ("face", 0.8),
        ("person", 0.7),
        ("dog", 0.6),
    ]
    assert found["objects_detected"][0] == {"class": "face", "confidence": 0.8, "bbox": []}
    assert len(json.loads(found["tracker_ids"])) == 2
    assert yard.get(LIST, object_type="face")["total"] == 1


def test_without_anything_seen_the_types_stay(yard: Yard) -> None:
    add_recording(yard.front, 0, 10)

    (found,) = yard.get(LIST)["recordings"]

    assert (found["objects_detected"], found["confidence"], found["tracker_ids"]) == ([], 0.0, None)
    assert (found["thumbnail_url"], found["thumbnailMediaUrl"]) == (None, None)


def test_what_was_seen_outlives_its_tracks(yard: Yard) -> None:
    recording = add_recording(yard.front, 0, 10, [Seen("person", 0.7)])
    before = yard.get(LIST)
    Track.objects.all().delete()

    describe(recording.pk, now=at(0) + timedelta(days=31))

    assert yard.get(LIST) == before


def test_the_number_of_queries_does_not_grow(filled: Yard) -> None:
    filled.get(LIST)  # the first use of a token is noted
    counts = []
    for limit in (1, 10):
        with CaptureQueriesContext(connection) as queries:
            filled.get(LIST, limit=limit)
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 8


def test_other_methods_are_refused(filled: Yard) -> None:
    for address in (LIST, f"{LIST}/1", "/status", "/recordings/x.mp4"):
        answer = filled.client.post(address, {})

        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
        assert answer.json()["status"] == "error"
    assert filled.client.head(LIST).status_code == 200


def test_unknown_addresses_of_the_dialect_answer_in_its_shape(filled: Yard) -> None:
    for address in (f"{LIST}/1/more", f"/compat/spectrax/{filled.token}/nothing"):
        answer = filled.client.get(address)

        assert (answer.status_code, answer.json()["status"]) == (404, "error")


def test_a_fault_and_an_absent_database_answer_in_its_shape(
    filled: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(raise_request_exception=False, headers={"authorization": f"Bearer {filled.token}"})
    for error, status in ((ZeroDivisionError(), 500), (OperationalError("gone"), 503)):
        monkeypatch.setattr("apps.dialects.spectrax.views.camera_paths", Mock(side_effect=error))

        answer = client.get("/paths")

        assert (answer.status_code, answer.json()["status"]) == (status, "error")
        assert not re.search("ZeroDivision|gone", answer.content.decode())
