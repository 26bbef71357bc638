"""The log of streams: read by filters, and cleaned up but for each stream's last entry."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from apps.streams.life import Life
from apps.streams.life_log import Entry, add_entry
from apps.streams.models import Source, StreamLog
from tests.apps.dialects.luna.house import Luna, error_of, make_luna

BEGIN = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
STEPS = (Life.PENDING, Life.FAILURE, Life.RESTART, Life.PENDING, Life.IN_PROGRESS)


@pytest.fixture
def stream_id(luna: Luna) -> str:
    """Return a stream with five entries, a minute apart."""
    stream_id = luna.create()
    fill(stream_id)
    return stream_id


def fill(stream_id: str) -> None:
    source = Source.objects.get(streams=UUID(stream_id))
    StreamLog.objects.filter(source=source).delete()
    for number, status in enumerate(STEPS):
        at = BEGIN + timedelta(minutes=number)
        detail = "nobody answers" if status is Life.FAILURE else ""
        add_entry(source, Entry(status, at, detail=detail, last_frame_at=at))


def statuses(luna: Luna, **query: Any) -> list[int]:
    return [row["status"] for row in luna.get("/2/streams/logs", **query)["logs"]]


def test_the_newest_entry_comes_first(luna: Luna, stream_id: str) -> None:
    rows = luna.get("/2/streams/logs")["logs"]

    assert [row["status"] for row in rows] == [1, 0, 3, 4, 0]
    assert rows[3] == {
        "stream_id": stream_id,
        "status": 4,
        "error": "nobody answers",
        "log_time": "2026-11-20T12:01:00.000000Z",
        "last_processed_frame_time": "2026-11-20T12:01:00.000000Z",
        "analytic_index": None,
    }


def test_filters_take_what_they_name(luna: Luna, stream_id: str) -> None:
    other = luna.create()

    assert statuses(luna, stream_ids=stream_id) == [1, 0, 3, 4, 0]
    assert statuses(luna, stream_ids=stream_id, statuses="4,3") == [3, 4]
    assert statuses(luna, log_time__gte="2026-11-20T12:03:00Z", stream_ids=stream_id) == [1, 0]
    assert statuses(luna, log_time__lt="2026-11-20T12:01:00Z") == [0]
    assert statuses(luna, stream_ids=stream_id, page_size=2, page=2) == [3, 4]
    assert luna.get("/2/streams/logs", targets="status", stream_ids=stream_id, page_size=1) == {
        "logs": [{"status": 1}]
    }
    assert statuses(luna, stream_ids=other) == [0]


def test_what_is_about_the_stream_is_about_each_of_its_analytics(luna: Luna, stream_id: str) -> None:
    source = Source.objects.get(streams=UUID(stream_id))
    add_entry(source, Entry(Life.PAUSED, BEGIN + timedelta(hours=1), analytic_index=1))

    rows = luna.get("/2/streams/logs", stream_ids=stream_id, analytic_indexes="0")["logs"]
    assert {row["analytic_index"] for row in rows} == {0}
    assert len(rows) == len(STEPS)
    assert statuses(luna, analytic_indexes="1")[0] == 8


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("targets=nothing", 44006),
        ("statuses=9", 12012),
        ("analytic_indexes=-1", 12012),
        ("log_time__lt=soon", 12012),
        ("page_size=0", 12012),
    ],
)
def test_what_cannot_be_read_is_refused(luna: Luna, query: str, number: int) -> None:
    assert error_of(luna.ask("GET", f"/2/streams/logs?{query}"))[:2] == (400, number)


def test_cleaning_up_leaves_each_streams_last_entry(luna: Luna, stream_id: str) -> None:
    other = luna.create()
    fill(other)
    path = "/2/streams/logs"

    early = luna.ask("DELETE", f"{path}?log_time__lt=2026-11-20T12:01:00Z")
    late = luna.ask("DELETE", f"{path}?log_time__lt={(timezone.now() + timedelta(days=1)).isoformat()}")

    assert (early.json(), late.json()) == ({"deleted_count": 2}, {"deleted_count": 2 * len(STEPS) - 4})
    assert statuses(luna) == [1, 1]
    assert luna.ask("DELETE", path).json() == {"deleted_count": 0}


def test_strangers_and_viewers_clean_nothing(luna: Luna, stream_id: str) -> None:
    stranger, viewer = make_luna(), make_luna("viewer", luna.account)
    elsewhere = make_luna()
    fill(elsewhere.create())

    for other in (stranger, viewer):
        assert other.ask("DELETE", "/2/streams/logs").json() == {"deleted_count": 0}
    assert stranger.get("/2/streams/logs") == {"logs": []}
    assert statuses(viewer) == [1, 0, 3, 4, 0]
    luna.ask("DELETE", "/2/streams/logs")
    assert len(statuses(elsewhere)) == len(STEPS)
