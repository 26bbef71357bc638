"""A stream with footage: rows as capture makes them, and real files where a test plays them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from apps.accounts.models import Account
from apps.core.times import from_us, to_us
from apps.streams.models import Segment, SegmentState, Source, Stream, Volume
from omma_engine.ids import segment_id, uuid7
from omma_engine.playback.slices import SegmentSlice
from omma_engine.types import Fragment
from tests import factories
from tests.engine.playback.footage import record_run

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_sequences = count(1)
_SECOND_US = 1_000_000


def at(seconds: float) -> datetime:
    """Return a time after (or before) noon."""
    return NOON + timedelta(seconds=seconds)


@dataclass(frozen=True)
class Archive:
    """One camera's stream on one volume."""

    account: Account
    stream: Stream
    volume: Volume

    @property
    def root(self) -> Path:
        return Path(self.volume.root)

    def add_rows(
        self, start_s: float, *lengths_s: int, size_bytes: int = 1000, is_transient: bool = False
    ) -> list[Segment]:
        """Add segments of the given lengths in a row, with a keyframe fragment each second, without files."""
        rows = []
        for length_s in lengths_s:
            per_fragment = size_bytes // length_s
            fragments = [
                Fragment(n * _SECOND_US, _SECOND_US, 100 + n * per_fragment, per_fragment, is_keyframe=True)
                for n in range(length_s)
            ]
            rows.append(
                self._add(at(start_s), f"rows/{next(_sequences)}.mp4", fragments, is_transient=is_transient)
            )
            start_s += length_s
        return rows

    def record(self, start_s: float, *lengths_s: int, is_transient: bool = False) -> list[Segment]:
        """Record real files of counted pictures, ten a second."""
        slices = record_run(
            self.root, start_us=to_us(at(start_s)), seconds=list(lengths_s), first=round(start_s * 10)
        )
        return [self._add_slice(one, is_transient=is_transient) for one in slices]

    def _add_slice(self, one: SegmentSlice, *, is_transient: bool) -> Segment:
        return self._add(from_us(one.start_us), one.path, one.fragments, is_transient=is_transient)

    def _add(
        self, start: datetime, path: str, fragments: Sequence[Fragment], *, is_transient: bool
    ) -> Segment:
        sequence = next(_sequences)
        last = fragments[-1]
        return Segment.objects.create(
            id=segment_id(stream_id=self.stream.pk, epoch=1, sequence=sequence, start_us=to_us(start)),
            account_id=self.account.pk,
            camera_id=self.stream.camera_id,
            stream=self.stream,
            volume=self.volume,
            epoch=1,
            sequence=sequence,
            start=start,
            end=start + timedelta(microseconds=last.start_us + last.duration_us),
            start_ticks=0,
            time_base_num=1,
            time_base_den=90000,
            clock="arrival",
            error_us=1000,
            state=SegmentState.CLOSED,
            is_transient=is_transient,
            path=path,
            codec="h264",
            width=160,
            height=96,
            init_size=fragments[0].offset,
            durable_bytes=last.offset + last.size,
            fragments=[[f.start_us, f.duration_us, f.offset, f.size, int(f.is_keyframe)] for f in fragments],
        )


def make_archive(root: Path, account: Account | None = None) -> Archive:
    """Return an archive whose volume is `root`."""
    root.mkdir(parents=True, exist_ok=True)
    account = account or factories.make_account()
    volume, _ = Volume.objects.get_or_create(root=str(root), defaults={"name": str(root), "id": uuid7()})
    (root / "omma-volume.json").write_text(f'{{"volume_id": "{volume.pk}", "format": 1}}')
    camera = factories.make_camera(account)
    source = Source.objects.create(account=account, camera=camera)
    stream = Stream.objects.create(
        account=account, camera=camera, source=source, codec="h264", width=160, height=96
    )
    return Archive(account, stream, volume)
