"""A capture child that records one virtual camera, and what of the camera's pictures it has."""

from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from omma_engine.types import SourceKind
from tests.engine.capture.driving import Child, ZygoteDriver, source_spec
from tests.engine.coded import make_volume
from tests.farm import CameraHandle
from tests.farm.ledger import code_of_frame, entries_of_file


class Watch:
    """A child on a volume of its own; it records from its first durable picture on."""

    def __init__(
        self,
        zygote: ZygoteDriver,
        camera: CameraHandle,
        root: Path,
        *,
        url: str = "",
        host: str = "127.0.0.1",
        segment_s: int = 60,
        kind: SourceKind = SourceKind.RTSP,
        waits: bool = True,
        transport: str = "tcp",
    ) -> None:
        self.root = make_volume(root)
        self.zygote = zygote
        self.camera = camera
        self.child: Child = zygote.fork(root.name)
        self.child.start(
            source_spec(
                self.root,
                kind,
                url or camera.url(),
                segment_s=segment_s,
                numeric_host=host,
                transport=transport,
            )
        )
        if waits:
            self.child.wait(lambda: bool(self.child.news("segment_open")))

    def stop(self) -> None:
        """End the child in order; what it recorded stays to be looked at."""
        self.child.tell({"do": "stop"})
        self.child.wait_gone()
        assert self.zygote.hear()["status"] == 0

    def wait_for_segments(self, count: int, timeout_s: float = 20.0) -> None:
        self.child.wait(lambda: len(self.child.news("segment_open")) >= count, timeout_s)

    def wait_for_growth(self, timeout_s: float = 20.0) -> None:
        """Wait until more is durable than now."""
        before = len(self.child.news("segment_progress"))
        self.child.wait(lambda: len(self.child.news("segment_progress")) > before + 1, timeout_s)

    @property
    def opened(self) -> list[dict[str, Any]]:
        return self.child.news("segment_open")

    @property
    def closed(self) -> list[dict[str, Any]]:
        return self.child.news("segment_close")

    def stored(self) -> list[list[int]]:
        """Return the numbers of the pictures in each segment file."""
        return [
            [entry.sequence for entry in entries_of_file(self.root / news["path"])] for news in self.opened
        ]

    def decoded(self) -> list[int]:
        """Return how many pictures each file alone gives, with their codes readable."""
        return [self.decoded_of(number) for number in range(len(self.opened))]

    def decoded_of(self, number: int) -> int:
        count = 0
        with av.open(str(self.root / self.opened[number]["path"])) as container:
            for packet in container.demux(video=0):
                with suppress(av.error.InvalidDataError):
                    count += sum(code_of_frame(frame) is not None for frame in packet.decode())
        return count

    def codes(self) -> list[str]:
        """Return the codes of the troubles that were told, in their order."""
        return [news["code"] for news in self.child.news("state") if news["code"]]

    def holes(self) -> list[tuple[int, int, str]]:
        """Return start, end and cause of each gap that is over; microseconds."""
        over = [news for news in self.child.news("gap") if news["end_us"] is not None]
        return [(news["start_us"], news["end_us"], news["cause"]) for news in over]

    def assert_explained(self) -> None:
        """Segments and gaps follow each other without a hole or an overlap, and hold all that was sent."""
        ends = {news["segment_id"]: news["end_us"] for news in self.closed}
        spans = [(news["start_us"], ends[news["segment_id"]]) for news in self.opened]
        spans += [(start, end) for start, end, _ in self.holes()]
        for before, after in pairwise(sorted(spans)):
            assert abs(after[0] - before[1]) <= 200_000, f"{before} is not followed by {after}"

    def missing(self) -> set[int]:
        """Return the pictures that were handed to us from the first stored one on, and are in no file."""
        stored = {number for numbers in self.stored() for number in numbers}
        handed = {made.sequence for made in self.camera.ledger() if made.deliveries}
        return {number for number in handed if min(stored) < number < max(stored)} - stored

    def start_errors_s(self) -> list[float]:
        """Return how wrong each segment's start is, against the camera's ledger."""
        made = {picture.sequence: picture.utc_us for picture in self.camera.ledger()}
        return [
            (news["start_us"] - made[numbers[0]]) / 1e6
            for news, numbers in zip(self.opened, self.stored(), strict=True)
            if numbers
        ]
