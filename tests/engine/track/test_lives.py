"""Tracks from frame to frame: numbers stay, begin and end as they should."""

import numpy as np

from omma_engine.detect.base import Detections
from omma_engine.track.base import NO_TRACK
from omma_engine.track.byte_track import ByteTracker
from omma_engine.track.episodes import EpisodeTracker
from omma_engine.track.lives import TrackChange, TrackLives, TrackPhase, moment_score

SIZE_WH = (640, 360)
STEP_US = 200_000


def boxes(*corners: tuple[float, float], label: str = "person", score: float = 0.8) -> Detections:
    array = np.array([(x, y, x + 60, y + 150) for x, y in corners], dtype=np.float32).reshape(-1, 4)
    return Detections(array, np.full(len(array), score, dtype=np.float32), (label,) * len(array))


def follow(
    tracker: ByteTracker | EpisodeTracker, lives: TrackLives, frames: list[Detections]
) -> list[TrackChange]:
    told: list[TrackChange] = []
    for index, found in enumerate(frames, start=1):
        at_us = index * STEP_US
        told += lives.observe(tracker.update(found, at_us=at_us), at_us=at_us, size_wh=SIZE_WH)[1]
    return told


def people_tracker() -> tuple[ByteTracker, TrackLives]:
    tracker = ByteTracker(rate_fps=5, min_confidence=0.4)
    return tracker, TrackLives(first_number=7, lost_after_us=tracker.lost_after_us)


def test_a_walking_person_is_one_track_with_a_path() -> None:
    tracker, lives = people_tracker()

    told = follow(tracker, lives, [boxes((20 + 12 * step, 100)) for step in range(40)])

    assert [change.phase for change in told] == ["track_open", "track_update", "track_update", "track_update"]
    (track,) = lives.live
    assert (track.number, track.label, track.hits) == (7, "person", 39)
    assert track.path[-1][1] > track.path[0][1] + 0.6
    assert track.path[0][2] == round(250 / 360, 4)


def test_a_short_miss_keeps_the_number_and_a_long_one_does_not() -> None:
    tracker, lives = people_tracker()
    walk = [boxes((20 + 6 * step, 100)) for step in range(12)]

    follow(tracker, lives, walk[:5] + [boxes()] * 3 + walk[8:])
    assert [track.number for track in lives.live] == [7]

    told = [
        change
        for step in range(20)
        for change in lives.observe(
            tracker.update(boxes(), at_us=(step + 20) * STEP_US), at_us=(step + 20) * STEP_US, size_wh=SIZE_WH
        )[1]
    ]
    assert [change.phase for change in told] == ["track_close"]
    assert lives.live == []


def test_labels_are_followed_apart() -> None:
    tracker, lives = people_tracker()
    walk = [
        Detections(
            np.concatenate([boxes((50, 100)).boxes_xyxy, boxes((54, 102)).boxes_xyxy]),
            np.array([0.8, 0.8], dtype=np.float32),
            ("person", "dog"),
        )
    ] * 4

    follow(tracker, lives, walk)

    assert sorted((track.label, track.hits) for track in lives.live) == [("dog", 3), ("person", 3)]


def test_weak_boxes_carry_a_track_on_but_begin_none() -> None:
    tracker, lives = people_tracker()
    follow(tracker, lives, [boxes((50, 100), score=0.3)] * 6)
    assert lives.live == []

    tracker, lives = people_tracker()
    follow(tracker, lives, [boxes((50, 100))] * 3 + [boxes((50, 100), score=0.3)] * 10)
    assert [track.hits for track in lives.live] == [12]


def test_motion_is_one_episode_until_it_is_quiet() -> None:
    tracker = EpisodeTracker(lost_after_s=1.0)
    lives = TrackLives(first_number=0, lost_after_us=tracker.lost_after_us)
    two = boxes((10, 10), (400, 10), label="motion")

    told = follow(tracker, lives, [two, two, two, boxes(), two, boxes(), *[boxes()] * 8, two, two])

    assert [(change.phase, change.track.number) for change in told] == [
        (TrackPhase.OPEN, 0),
        (TrackPhase.CLOSE, 0),
        (TrackPhase.OPEN, 1),
    ]


def test_one_moving_frame_alone_is_no_episode() -> None:
    tracker = EpisodeTracker()

    keys = [
        box.key for found in (boxes((1, 1)), boxes(), boxes((1, 1))) for box in tracker.update(found, at_us=1)
    ]

    assert keys == [NO_TRACK, NO_TRACK]


def test_the_best_moment_is_large_sure_and_whole() -> None:
    whole, cut = (0.3, 0.3, 0.5, 0.9), (0.0, 0.3, 0.2, 0.9)

    assert moment_score(0.8, whole) > moment_score(0.8, cut)
    assert moment_score(0.8, whole) > moment_score(0.5, whole)
    assert moment_score(0.8, whole) > moment_score(0.8, (0.4, 0.4, 0.5, 0.7))
