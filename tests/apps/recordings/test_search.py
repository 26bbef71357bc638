"""Search over recordings: filters that combine, orders, and pages by cursor that never overlap."""

from datetime import timedelta
from itertools import chain
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.core.api import keyset
from apps.inference.models import Track
from apps.recordings.models import CauseKind, Recording, RecordingState
from omma_engine.ids import uuid7
from tests import factories
from tests.apps.recordings.archive import Archive, at, make_archive

URL = "/api/v1/recordings/"


@pytest.fixture
def client(archive: Archive) -> Client:
    client = Client()
    client.force_login(factories.make_member(archive.account, "viewer").user)
    return client


def add(archive: Archive, number: int, start_s: float, **fields: Any) -> Recording:
    start = at(start_s)
    values: dict[str, Any] = {"state": RecordingState.DONE, "cause_kind": CauseKind.RULE, "until": None}
    values |= {"wanted_start": start, "start": start, "end": start + timedelta(seconds=20), **fields}
    owner = {"account": archive.account, "camera": archive.stream.camera, "stream": archive.stream}
    return Recording.objects.create(number=number, **owner, **values)


def add_track(archive: Archive, start_s: float, end_s: float) -> Track:
    return Track.objects.create(
        id=uuid7(int(at(start_s).timestamp() * 1000)), account_id=archive.account.pk,
        camera_id=archive.stream.camera_id, stream_id=archive.stream.pk, analytic_id=uuid7(), number=7,
        label="person", confidence=0.9, start=at(start_s), end=at(end_s), best_at=at(start_s),
    )  # fmt: skip


def numbers(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [row["number"] for row in answer.json()["results"]]


def walk(client: Client, query: str, direction: str = "next") -> tuple[list[list[int]], Any]:
    """Follow the links; return the pages and the last answer."""
    answer = client.get(f"{URL}?{query}")
    pages = [numbers(answer)]
    while answer.json()[direction]:
        answer = client.get(answer.json()[direction])
        pages.append(numbers(answer))
    return pages, answer


def test_values_given_again_mean_any_of_them(archive: Archive, client: Client) -> None:
    add(archive, 1, 0, labels=["person"])
    add(archive, 2, 100, labels=["cat", "motion"])
    add(archive, 3, 200, labels=["car"])

    camera = archive.stream.camera_id
    assert numbers(client.get(f"{URL}?label=person&label=CAT")) == [2, 1]
    assert numbers(client.get(f"{URL}?camera={camera}&camera={uuid7()}")) == [3, 2, 1]
    assert numbers(client.get(f"{URL}?stream={archive.stream.pk}&stream={uuid7()}&label=car")) == [3]


def test_words_are_looked_for_in_names_causes_labels_and_cameras(archive: Archive, client: Client) -> None:
    camera = archive.stream.camera
    camera.name = "Garage north"
    camera.save()
    add(archive, 1, 0, name="Parcel at the front-door")
    add(archive, 2, 100, cause_name="People and motion", labels=["person"])
    add(archive, 3, 200, labels=["cat"])

    def found(words: str) -> list[int]:
        return numbers(client.get(URL, {"search": words}))

    assert found("parc") == [1]
    assert found("door parcel") == [1]
    assert found("cat") == [3]
    assert found("garage people") == [2]
    assert found("NORTH") == [3, 2, 1]
    assert found("parcel cat") == []
    assert found("'; & | !") == []
    assert found("%") == []


def test_recordings_of_a_track_are_those_of_its_camera_meanwhile(archive: Archive, client: Client) -> None:
    add(archive, 1, 0)
    add(archive, 2, 100)
    add(archive, 3, 200)
    track = add_track(archive, 110, 205)

    assert numbers(client.get(f"{URL}?track={track.pk}")) == [3, 2]
    refused = client.get(f"{URL}?track={uuid7()}")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["track"])


def test_somebody_elses_track_answers_as_an_absent_one(
    archive: Archive, client: Client, tmp_path: Any
) -> None:
    foreign = add_track(make_archive(tmp_path / "else", factories.make_account("Else")), 0, 10)

    answers = [client.get(f"{URL}?track={one}").json()["error"] for one in (foreign.pk, uuid7())]

    assert answers[0] == answers[1]


def test_long_recordings_are_found_by_what_they_reach_into(archive: Archive, client: Client) -> None:
    add(archive, 1, 0, end=at(24 * 3600))
    add(archive, 2, -30 * 3600, end=at(-29 * 3600))

    inside = "since=2026-11-21T11:00:00Z&until=2026-11-21T11:10:00Z"
    assert numbers(client.get(f"{URL}?{inside}")) == [1]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("camera=door", "camera"),
        ("stream=1", "stream"),
        ("since=2026-11-20T12:00:00Z&until=2026-11-20T11:00:00Z", "until"),
        ("until=soon", "until"),
        ("min_confidence=2", "min_confidence"),
        ("max_confidence=nan", "max_confidence"),
        ("track=7", "track"),
        ("held=perhaps", "held"),
        ("state=lost", "state"),
        ("number=-1", "number"),
        ("number=99999999999", "number"),
        ("search=a%00b", "search"),
        ("label=a%00b", "label"),
        ("search=a+b+c+d+e+f+g+h+i", "search"),
        ("ordering=size", "ordering"),
        ("cursor=nonsense", "cursor"),
        ("cursor=W10", "cursor"),
        ("page_size=0", "page_size"),
        ("page=0", "page"),
        ("&".join(f"label=x{n}" for n in range(65)), "label"),
    ],
)
def test_bad_values_name_their_field(client: Client, query: str, field: str) -> None:
    answer = client.get(f"{URL}?{query}")

    assert (answer.status_code, list(answer.json()["error"]["fields"])) == (400, [field])


@pytest.mark.parametrize("ordering", ["start", "-start", "-confidence", "confidence", "name", "-end"])
def test_pages_by_cursor_are_the_whole_list_forward_and_backward(
    archive: Archive, client: Client, ordering: str
) -> None:
    for number in range(1, 12):
        sure = None if number % 4 == 0 else (number % 3) / 10
        add(archive, number, number // 3, confidence=sure, name=f"n{number % 2}")
    whole = numbers(client.get(f"{URL}?ordering={ordering}&page_size=200"))

    pages, last = walk(client, f"ordering={ordering}&page_size=4")
    back = [numbers(last)]
    answer = last
    while answer.json()["previous"]:
        answer = client.get(answer.json()["previous"])
        back.insert(0, numbers(answer))

    assert sorted(whole) == list(range(1, 12))
    assert [len(one) for one in pages] == [4, 4, 3]
    assert list(chain(*pages)) == whole
    assert list(chain(*back)) == whole
    assert answer.json()["next"] is not None


def test_rows_that_come_and_go_move_nobody_to_another_page(archive: Archive, client: Client) -> None:
    for number in range(1, 7):
        add(archive, number, number)
    first = client.get(f"{URL}?page_size=3")

    add(archive, 7, 7)
    Recording.objects.filter(number__in=[4, 3]).delete()

    assert numbers(first) == [6, 5, 4]
    assert numbers(client.get(first.json()["next"])) == [2, 1]


def test_a_cursor_is_of_one_order(archive: Archive, client: Client) -> None:
    for number in range(1, 4):
        add(archive, number, number)
    answer = client.get(f"{URL}?page_size=1").json()

    refused = client.get(answer["next"] + "&ordering=name")

    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["cursor"])


def test_rows_are_counted_where_that_costs_nothing(
    archive: Archive, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "MAX_DEPTH", 4)
    for number in range(1, 6):
        add(archive, number, number)

    whole = client.get(URL).json()
    first = client.get(f"{URL}?page_size=2").json()
    by_number = client.get(f"{URL}?page_size=2&page=2").json()
    beyond = client.get(f"{URL}?page_size=2&page=3")

    later = client.get(first["next"]).json()
    assert [(one["count"], one["has_more_than_count"]) for one in (whole, first, later, by_number)] == [
        (5, False), (2, True), (None, False), (4, True),
    ]  # fmt: skip
    assert [one["number"] for one in by_number["results"]] == [3, 2]
    assert list(beyond.json()["error"]["fields"]) == ["page"]


def test_a_page_costs_one_query_wherever_it_is(
    archive: Archive, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(1, 10):
        add(archive, number, number)
    link = client.get(f"{URL}?page_size=2").json()["next"]

    with django_assert_num_queries(3):  # 2 to know who asks
        assert numbers(client.get(link)) == [7, 6]
