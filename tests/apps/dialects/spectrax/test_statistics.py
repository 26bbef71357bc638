"""SpectraX's statistics: XC12."""

from apps.dialects.spectrax.models import SpectraxClip
from apps.recordings.models import Recording
from tests.apps.dialects.spectrax.yard import Seen, Yard, add_recording

STATS = "/api/recordings/stats"


def test_xc12_statistics_agree_with_the_list_and_with_themselves(yard: Yard) -> None:
    yard.front.add_rows(0, 60, 60, size_bytes=6000)
    yard.back.add_rows(0, 60, size_bytes=60_000)
    add_recording(yard.front, 0, 10, [Seen("person", 0.9, 42), Seen("car", 0.5, 15)])
    add_recording(yard.front, 70, 90.4, [Seen("person", 0.8, 42), Seen("person", 0.7, 43)])
    add_recording(yard.back, 20, 40.4, [Seen("dog", 0.8, 15)])

    body = yard.get(STATS)

    listed = yard.get("/api/recordings")
    assert body == {
        "total_recordings": 3,
        "total_duration_seconds": 50,
        "total_size_bytes": body["total_size_bytes"],
        "total_size_gb": 0.0,
        "oldest_recording": "2026-11-20T12:00:00Z",
        "newest_recording": "2026-11-20T12:01:10Z",
        "objects": {"person": 3, "car": 1, "dog": 1},
        "trackers": {
            "total_unique_ids": 3,
            "most_frequent": [
                {"tracker_id": 15, "appearances": 2},
                {"tracker_id": 42, "appearances": 2},
                {"tracker_id": 43, "appearances": 1},
            ],
        },
        "by_camera": {
            "video/front-door": {"count": 2, "duration_seconds": 30},
            "video/backyard": {"count": 1, "duration_seconds": 20},
        },
    }
    assert body["total_recordings"] == listed["total"]
    assert 1000 + 2000 + 20_000 <= body["total_size_bytes"] <= 1100 + 2200 + 21_100 + 300


def test_xc12_gigabytes_are_counted_in_powers_of_two(yard: Yard) -> None:
    add_recording(yard.front, 0, 10)
    SpectraxClip.objects.update(size_bytes=307_200_000)

    assert yard.get(STATS)["total_size_gb"] == 0.29


def test_without_recordings_everything_is_nothing(yard: Yard) -> None:
    assert yard.get(STATS) == {
        "total_recordings": 0,
        "total_duration_seconds": 0,
        "total_size_bytes": 0,
        "total_size_gb": 0.0,
        "oldest_recording": None,
        "newest_recording": None,
        "objects": {},
        "trackers": {"total_unique_ids": 0, "most_frequent": []},
        "by_camera": {},
    }


def test_a_deleted_recording_leaves_nothing_behind(yard: Yard) -> None:
    add_recording(yard.front, 0, 10, [Seen("person", 0.9)])

    Recording.objects.all().delete()

    assert yard.get(STATS)["total_recordings"] == 0
    assert yard.get("/api/recordings")["total"] == 0
