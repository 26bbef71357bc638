"""What analytics that count tell the rest of the house: the outbox row `analytic.result`.

Subscribe with `outbox.subscribe(name, ["analytic.result"], handler)`; the row's subject is the analytic, and
its payload is an `AnalyticResult`. It comes at most once in `counting.period_s`, at least once, in order; the
row's id tells repeats apart. With `trigger` `start` or `end` it comes once a crowd.
"""

from typing import NotRequired, TypedDict


class RegionCount(TypedDict):
    """How many stand in one of the analytic's regions; `name` is its own, else its number from 1."""

    name: str
    count: int


class AnalyticResult(TypedDict):
    """What one counting analytic saw in the picture taken at `at_us` (UTC microseconds).

    `kind` is the analytic's, `people_count`. `phase` is `start`, `period` or `end` of the crowd that
    `event_id` names and that began at `start_us`; an `inference.Event` has that id where the counting is
    bounded (`at_least` above 0, or `at_most`).
    `count` is this picture's number in all regions together, `highest` the most since the crowd began.
    `coordinates` are foot points in parts of the picture, 0 to 1, of a picture of `width` x `height` pixels;
    `image` is a file's name relative to the data folder. Both are there only where `counting` asks.
    """

    kind: str
    phase: str
    event_id: str
    analytic_id: str
    analytic_number: int
    analytic_label: str
    stream_id: str
    camera_id: str
    account_id: str
    start_us: int
    at_us: int
    count: int
    highest: int
    counts: dict[str, int]
    regions: list[RegionCount]
    width: int
    height: int
    coordinates: NotRequired[list[list[float]]]
    image: NotRequired[str]
