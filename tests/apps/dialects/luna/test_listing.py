"""Lists of streams: filters, order, pages and targets."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from apps.accounts.access import system_actor
from apps.cameras.services import add_camera
from apps.streams.life import Life
from apps.streams.models import Source, Stream
from tests.apps.dialects.luna.house import Luna, error_of, make_luna


@pytest.fixture
def three(luna: Luna) -> list[str]:
    """Return three streams, oldest first; the second is live, the third has failed."""
    ids = [
        luna.create(name="b", source="lane 1", event_source_group="north", groups=["g1"]),
        luna.create(name="a", source="lane 2", event_source_group="south", groups=["g1", "g2"], splittable=1),
        luna.create(name="c"),
    ]
    for stream_id, life in zip(ids, (Life.PENDING, Life.IN_PROGRESS, Life.FAILURE), strict=True):
        Source.objects.filter(streams=UUID(stream_id)).update(life=life, life_detail="nobody answers")
    return ids


def found(luna: Luna, three: list[str], **query: Any) -> list[int]:
    """Return which of the three are listed, by their place."""
    return [three.index(row["stream_id"]) for row in luna.get("/2/streams", **query)["streams"]]


def test_the_newest_comes_first_unless_asked_otherwise(luna: Luna, three: list[str]) -> None:
    assert found(luna, three) == [2, 1, 0]
    assert found(luna, three, order="asc") == [0, 1, 2]
    assert found(luna, three, order_column="name") == [2, 0, 1]
    assert found(luna, three, order_column="name", order="asc") == [1, 0, 2]
    assert found(luna, three, order_column="create_time", order="asc") == [0, 1, 2]


def test_a_range_of_ids_is_half_open_and_in_their_order(luna: Luna, three: list[str]) -> None:
    assert found(luna, three, stream_id__gte=three[0], stream_id__lt=three[2]) == [0, 1]
    assert found(luna, three, stream_id__gte=three[1], order="desc", order_column="name") == [1, 2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"statuses": "0,1"}, [1, 0]),
        ({"statuses": "4"}, [2]),
        ({"names": "a,c"}, [2, 1]),
        ({"names": "A"}, []),
        ({"sources": "lane 1,lane 2"}, [1, 0]),
        ({"event_source_groups": "south"}, [1]),
        ({"groups": "g1"}, [1, 0]),
        ({"groups": "g2,g3"}, [1]),
        ({"splittable": 1}, [1]),
        ({"splittable": 0}, [2, 0]),
        ({"reference": "synthetic:yard"}, [2, 1, 0]),
        ({"reference": "synthetic:room"}, []),
    ],
)
def test_filters_take_what_they_name(
    luna: Luna, three: list[str], query: dict[str, Any], expected: list[int]
) -> None:
    assert found(luna, three, **query) == expected


def test_ids_may_be_repeated_or_listed(luna: Luna, three: list[str]) -> None:
    listed = luna.get("/2/streams", stream_ids=f"{three[0]},{three[2]}")
    repeated = luna.get(f"/2/streams?stream_ids={three[0]}&stream_ids={three[2]}")

    assert listed == repeated
    assert [row["stream_id"] for row in listed["streams"]] == [three[2], three[0]]


def test_times_are_half_open(luna: Luna, three: list[str]) -> None:
    first, second, third = Stream.objects.order_by("id")
    for number, row in enumerate((first, second, third)):
        Stream.objects.filter(pk=row.pk).update(created_at=first.created_at + timedelta(minutes=number))
    at = (first.created_at + timedelta(minutes=1)).isoformat()

    assert found(luna, three, create_time__gte=at) == [2, 1]
    assert found(luna, three, create_time__lt=at) == [0]


def test_pages_cut_the_list(luna: Luna, three: list[str]) -> None:
    assert found(luna, three, page_size=2) == [2, 1]
    assert found(luna, three, page_size=2, page=2) == [0]
    assert found(luna, three, page_size=2, page=3) == []


def test_targets_choose_the_fields(luna: Luna, three: list[str]) -> None:
    rows = luna.get("/2/streams", targets="status,last_error")["streams"]

    assert rows == [
        {"status": 4, "last_error": "nobody answers"},
        {"status": 1, "last_error": None},
        {"status": 0, "last_error": None},
    ]
    assert luna.get("/2/streams?targets=status&targets=version")["streams"][0] == {"status": 4, "version": 1}


def test_numbers_of_statuses_are_a_setting(luna: Luna, three: list[str], settings: Settings) -> None:
    settings.OMMA_LUNA_STATUSES = {"pending": "1", "in_progress": "0"}

    assert [row["status"] for row in luna.get("/2/streams", targets="status")["streams"]] == [4, 0, 1]
    assert found(luna, three, statuses="0") == [1]


@pytest.mark.parametrize(
    "query",
    [
        "page=0", "page=x", "page_size=0", "page_size=1001", "page_size=99999999999999999999", "statuses=9",
        "statuses=-1", "statuses=x", "order=up", "order_column=size", "targets=nothing", "account_id=abc",
        "stream_ids=abc", "stream_id__gte=1", "create_time__gte=yesterday",
        "create_time__lt=0000-01-01T00:00:00Z",
        f"reference={'x' * 2084}", f"names={'x' * 129}", "splittable=2", "names=%00",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name(luna: Luna, query: str) -> None:
    status, number, detail = error_of(luna.ask("GET", f"/2/streams?{query}"))

    assert (status, number) == (400, 12012)
    assert f"'{query.partition('=')[0]}'" in detail


def test_only_what_may_be_seen_is_listed_and_counted(luna: Luna, three: list[str]) -> None:
    other = make_luna()
    own = other.create()

    assert [row["stream_id"] for row in other.get("/2/streams")["streams"]] == [own]
    assert other.get("/2/agent_info")["streams"]["count"] == 1
    assert luna.get("/2/agent_info")["streams"]["count"] == 3


def test_a_page_costs_a_fixed_number_of_queries(
    luna: Luna, three: list[str], django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        add_camera(
            actor=system_actor(), account=luna.account, name=f"Door {number}", address="synthetic:yard"
        )

    with django_assert_max_num_queries(12):
        assert len(luna.get("/2/streams", page_size=100)["streams"]) == 8
