"""The timeline of many streams: exact, bounded, in few queries, and only of what one may play."""

import json
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.renderers import JSONRenderer

from apps.inference.models import MinuteSummary
from apps.recordings.api import timeline as api
from apps.recordings.api.answers import answer_of
from apps.recordings.models import CauseKind, Recording, RecordingState
from apps.recordings.timeline import selectors
from apps.recordings.timeline.values import MAX_SPANS, TimelineRange
from apps.streams.models import Gap, Segment, SegmentState, Source, Stream
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.recordings.archive import Archive, at, make_archive

URL = "/api/v1/timeline/"
DAY_S = 86400


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask forty days after noon, whatever day it is."""
    monkeypatch.setattr(api, "timezone", SimpleNamespace(now=lambda: at(40 * DAY_S)))


@pytest.fixture
def client(archive: Archive) -> Client:
    client = Client()
    client.force_login(factories.make_member(archive.account, "viewer").user)
    return client


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def ask(
    client: Client, *streams: Stream, start_s: float = 0, end_s: float = 600, **more: object
) -> dict[str, Any]:
    values: dict[str, Any] = {"start": text(at(start_s)), "end": text(at(end_s)), **more}
    response = client.get(URL, {"stream": [str(one.pk) for one in streams], **values})
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    return answer


def seconds(value: str) -> float:
    return (datetime.fromisoformat(value) - at(0)).total_seconds()


def bounds(spans: list[dict[str, Any]], *more: str) -> list[tuple[Any, ...]]:
    return [(seconds(one["start"]), seconds(one["end"]), *(one[name] for name in more)) for one in spans]


def add_gap(stream: Stream, start_s: float, end_s: float | None, cause: str) -> Gap:
    return Gap.objects.create(
        account_id=stream.account_id, camera_id=stream.camera_id, stream=stream,
        start=at(start_s), end=None if end_s is None else at(end_s), cause=cause,
    )  # fmt: skip


def add_minute(stream: Stream, start_s: float, motion: float, **labels: int) -> None:
    MinuteSummary.objects.create(
        account_id=stream.account_id, camera_id=stream.camera_id, stream_id=stream.pk,
        minute=at(start_s), motion=motion, labels=labels,
    )  # fmt: skip


def second_stream(archive: Archive) -> Stream:
    camera = factories.make_camera(archive.account)
    source = Source.objects.create(account=archive.account, camera=camera)
    return Stream.objects.create(account=archive.account, camera=camera, source=source)


def test_coverage_gaps_recordings_and_what_was_seen(archive: Archive, client: Client) -> None:
    stream = archive.stream
    archive.add_rows(0, 60, 60)
    archive.add_rows(180, 60)
    add_gap(stream, 120, 180, "camera")
    add_gap(stream, 240, None, "worker")
    add_minute(stream, 0, 0.25, person=1)
    add_minute(stream, 180, 1.0, person=2, cat=1)
    recording = Recording.objects.create(
        account=archive.account, camera=stream.camera, stream=stream, number=4, name="Parcel",
        cause_kind=CauseKind.RULE, state=RecordingState.DONE, wanted_start=at(30), start=at(30), end=at(90),
        labels=["person"],
    )  # fmt: skip

    answer = ask(client, stream, end_s=300)

    shown = answer["streams"][0]
    assert (shown["stream"], shown["camera"]) == (str(stream.pk), str(stream.camera_id))
    assert bounds(shown["covered"], "recorded_s") == [(0, 120, 120), (180, 240, 60)]
    assert bounds(shown["gaps"], "cause", "count") == [(120, 180, "camera", 1), (240, 300, "worker", 1)]
    assert (shown["recorded_s"], shown["gap_s"]) == (180, 120)
    assert [(one["id"], one["number"], one["name"]) for one in shown["recordings"]] == [
        (str(recording.pk), 4, "Parcel")
    ]
    assert [(seconds(one["start"]), one["motion"], one["labels"]) for one in shown["buckets"]] == [
        (0, 0.25, {"person": 1}),
        (180, 1.0, {"cat": 1, "person": 2}),
    ]
    assert (answer["bucket_s"], answer["resolution_s"], answer["has_all_recordings"]) == (60, 0.3, True)


def test_spans_are_cut_to_the_range_and_garbage_is_not_shown(archive: Archive, client: Client) -> None:
    rows = archive.add_rows(0, 60, 60, 60)
    Segment.objects.filter(id=rows[1].pk).update(state=SegmentState.GARBAGE)
    add_gap(archive.stream, 60, 120, "expired")

    shown = ask(client, archive.stream, start_s=30, end_s=130)["streams"][0]

    assert bounds(shown["covered"]) == [(30, 60), (120, 130)]
    assert bounds(shown["gaps"], "cause") == [(60, 120, "expired")]


def test_what_is_below_the_resolution_is_joined_and_counted(archive: Archive, client: Client) -> None:
    for n in range(10):
        archive.add_rows(n * 10, 8)
        add_gap(archive.stream, n * 10 + 8, n * 10 + 10, "network")
    add_gap(archive.stream, 100, 104, "camera")

    coarse = ask(client, archive.stream, resolution_s=30)["streams"][0]
    fine = ask(client, archive.stream, resolution_s=1)["streams"][0]

    assert bounds(coarse["covered"], "recorded_s") == [(0, 98, 80)]
    assert bounds(coarse["gaps"], "cause", "count", "gap_s") == [
        (8, 100, "network", 10, 20), (100, 104, "camera", 1, 4),
    ]  # fmt: skip
    assert len(fine["covered"]) == 10
    assert len(fine["gaps"]) == 11


def test_the_answer_stays_bounded_whatever_is_asked(archive: Archive, client: Client) -> None:
    end_s = 31 * DAY_S

    answer = ask(client, archive.stream, second_stream(archive), end_s=end_s, resolution_s=0)

    assert answer["resolution_s"] == pytest.approx(2 * end_s / MAX_SPANS)
    assert answer["bucket_s"] == 300


def test_more_recordings_than_fit_are_said_to_be_left_out(
    archive: Archive, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "MAX_RECORDINGS", 2)
    for n in range(3):
        Recording.objects.create(
            account=archive.account, camera=archive.stream.camera, stream=archive.stream, number=n,
            cause_kind=CauseKind.USER, state=RecordingState.DONE,
            wanted_start=at(n), start=at(n), end=at(n + 1),
        )  # fmt: skip

    answer = ask(client, archive.stream)

    assert [one["number"] for one in answer["streams"][0]["recordings"]] == [1, 2]
    assert answer["has_all_recordings"] is False


def test_many_streams_cost_the_queries_of_one(
    archive: Archive, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    streams = [archive.stream, *(second_stream(archive) for _ in range(5))]
    for number, stream in enumerate(streams):
        Archive(archive.account, stream, archive.volume).add_rows(number * 10, 5)

    answers = []
    for chosen in (streams[:1], streams):
        with django_assert_num_queries(7):  # 2 to know who asks, 1 for the streams, 4 for the timeline
            answers.append(ask(client, *chosen))

    assert [bounds(one["covered"]) for one in answers[1]["streams"]] == [
        [(number * 10, number * 10 + 5)] for number in range(6)
    ]


def test_a_camera_means_all_its_streams(archive: Archive, client: Client) -> None:
    sub = Stream.objects.create(
        account=archive.account, camera=archive.stream.camera,
        source=archive.stream.source, name="sub",
    )  # fmt: skip

    answer = ask(client, sub, camera=str(archive.stream.camera_id))

    assert [one["stream"] for one in answer["streams"]] == [str(sub.pk), str(archive.stream.pk)]


def test_the_future_is_empty(archive: Archive, client: Client) -> None:
    add_gap(archive.stream, 0, None, "worker")
    tomorrow = at(41 * DAY_S)

    response = client.get(
        URL,
        {"stream": str(archive.stream.pk), "start": text(tomorrow), "end": text(tomorrow + timedelta(1))},
    )

    shown = response.json()["streams"][0]
    assert (shown["covered"], shown["gaps"], shown["recordings"], shown["buckets"]) == ([], [], [], [])


START = "2026-11-20T12:00:00Z"
BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"end": START}, "start"),
    ({"start": START}, "end"),
    ({"start": "noon", "end": START}, "start"),
    ({"start": START, "end": START}, "end"),
    ({"start": START, "end": "2026-11-20T11:00:00Z"}, "end"),
    ({"start": START, "end": "2026-12-22T12:00:00Z"}, "end"),
    ({"start": START, "end": "2026-11-20T13:00:00Z", "resolution_s": "fine"}, "resolution_s"),
    ({"start": START, "end": "2026-11-20T13:00:00Z", "resolution_s": "-1"}, "resolution_s"),
    ({"start": START, "end": "2026-11-20T13:00:00Z", "resolution_s": "nan"}, "resolution_s"),
    ({"start": START, "end": "2026-11-20T13:00:00Z", "stream": "main"}, "stream"),
    ({"start": START, "end": "2026-11-20T13:00:00Z", "stream": []}, "stream"),
    ({"start": START, "end": "2026-11-20T13:00:00Z", "stream": [], "camera": "front"}, "camera"),
    ({"start": START, "end": "2026-11-20T13:00:00Z", "stream": [str(uuid7()) for _ in range(65)]}, "stream"),
)


def test_bad_input_names_its_field(archive: Archive, client: Client) -> None:
    for query, field in BAD:
        response = client.get(URL, {"stream": str(archive.stream.pk), **query})

        assert (response.status_code, list(response.json()["error"]["fields"])) == (400, [field]), query


def test_one_stream_that_may_not_be_played_makes_all_of_it_not_found(
    archive: Archive, client: Client, tmp_path: Any
) -> None:
    elsewhere = make_archive(tmp_path / "else", factories.make_account("Elsewhere"))
    limited = Client()
    mine = second_stream(archive)
    limited.force_login(factories.make_limited_member(archive.account, "viewer", [mine.camera]).user)
    times = {"start": text(at(0)), "end": text(at(60))}

    def status(who: Client, **query: Any) -> int:
        return who.get(URL, {**times, **query}).status_code

    assert status(client, stream=[str(archive.stream.pk), str(elsewhere.stream.pk)]) == 404
    assert status(client, stream=str(uuid7())) == 404
    assert status(client, camera=str(elsewhere.stream.camera_id)) == 404
    assert status(limited, stream=[str(mine.pk)]) == 200
    assert status(limited, stream=[str(mine.pk), str(archive.stream.pk)]) == 404
    assert status(limited, camera=str(archive.stream.camera_id)) == 404
    assert status(Client(), stream=str(mine.pk)) == 401


def test_a_day_is_that_of_the_place_even_when_clocks_change(archive: Archive, client: Client) -> None:
    def day(name: str, **more: Any) -> dict[str, Any]:
        query = {"stream": str(archive.stream.pk), "day": name, "time_zone": "Europe/Berlin", **more}
        response = client.get(URL, query)
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        return answer

    spring, autumn, both = day("2026-03-29"), day("2026-10-25"), day("2026-10-25", days=2)

    assert (spring["start"], spring["end"]) == ("2026-03-28T23:00:00.000000Z", "2026-03-29T22:00:00.000000Z")
    assert (autumn["start"], autumn["end"]) == ("2026-10-24T22:00:00.000000Z", "2026-10-25T23:00:00.000000Z")
    assert [(one["day"], one["start"]) for one in both["days"]] == [
        ("2026-10-25", autumn["start"]), ("2026-10-26", autumn["end"]),
    ]  # fmt: skip
    assert spring["time_zone"] == "Europe/Berlin"


def test_a_part_of_a_day_tells_which_days_it_touches(archive: Archive, client: Client) -> None:
    answer = ask(client, archive.stream, start_s=0, end_s=3600, time_zone="Asia/Kolkata")

    assert [(one["day"], one["start"]) for one in answer["days"]] == [
        ("2026-11-20", "2026-11-19T18:30:00.000000Z")
    ]
    assert (seconds(answer["start"]), seconds(answer["end"])) == (0, 3600)


def test_the_answer_is_what_the_schema_says(archive: Archive, client: Client) -> None:
    archive.add_rows(0, 60)
    add_gap(archive.stream, 60, 90, "camera")
    add_minute(archive.stream, 0, 0.25, person=1)
    Recording.objects.create(
        account=archive.account, camera=archive.stream.camera, stream=archive.stream, number=1,
        cause_kind=CauseKind.RULE, wanted_start=at(0), start=at(0), end=at(9), labels=["person"],
    )  # fmt: skip
    stream = Stream.objects.get()
    timeline = selectors.timeline_of_streams(TimelineRange((stream,), at(0), at(600)), now=at(DAY_S))

    assert answer_of(timeline) == json.loads(JSONRenderer().render(api.TimelineSerializer(timeline).data))
