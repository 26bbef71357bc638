"""What playback reads: segment files and the fragments of them that a wanted range covers.

All times are UTC microseconds, ranges are half-open. Nothing here touches a file.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from omma_engine.errors import FootageMissingError
from omma_engine.types import Fragment

# Neighbouring fragments that miss each other by less than this are one run: clocks round and drift a little.
JOIN_TOLERANCE_US = 250_000


@dataclass(frozen=True, slots=True)
class SegmentSlice:
    """One segment file as its row describes it: bytes at or above `durable_bytes` are never read.

    `path` is relative to `root`; `fragments` are in file order. `opener` returns a descriptor of the file,
    which may lie elsewhere by now, and raises `FootageMissingError`.
    """

    segment_id: UUID
    root: Path
    path: str
    start_us: int
    init_size: int
    durable_bytes: int
    codec: str
    width: int
    height: int
    fragments: tuple[Fragment, ...]
    opener: Callable[[], int] | None = field(default=None, compare=False, repr=False)

    def usable_fragments(self) -> tuple[Fragment, ...]:
        """Return the fragments that are whole below the durable mark."""
        return tuple(
            fragment
            for fragment in self.fragments
            if fragment.offset >= self.init_size and fragment.offset + fragment.size <= self.durable_bytes
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive fragments of one segment. Pictures at or after `limit_us` are the next piece's."""

    source: SegmentSlice
    fragments: tuple[Fragment, ...]
    limit_us: int | None = None

    @property
    def start_us(self) -> int:
        return self.source.start_us + self.fragments[0].start_us

    @property
    def end_us(self) -> int:
        last = self.fragments[-1]
        end_us = self.source.start_us + last.start_us + last.duration_us
        return end_us if self.limit_us is None else min(end_us, self.limit_us)

    @property
    def kind(self) -> tuple[str, int, int]:
        return (self.source.codec, self.source.width, self.source.height)


@dataclass(frozen=True, slots=True)
class Selection:
    """The footage of a wanted range, exact to the fragment.

    `start_us` is the last keyframe at or before the wanted start where footage covers it, and the first one
    after it otherwise; `surplus_us` is how much earlier than wanted it begins (0 when later).
    """

    wanted_start_us: int
    pieces: tuple[Piece, ...]

    @property
    def start_us(self) -> int:
        return self.pieces[0].start_us

    @property
    def end_us(self) -> int:
        return self.pieces[-1].end_us

    @property
    def surplus_us(self) -> int:
        return max(0, self.wanted_start_us - self.start_us)

    @property
    def holes(self) -> tuple[tuple[int, int], ...]:
        """Return the stretches between pieces that no footage covers."""
        pairs = zip(self.pieces, self.pieces[1:], strict=False)
        return tuple(
            (before.end_us, after.start_us)
            for before, after in pairs
            if after.start_us - before.end_us > JOIN_TOLERANCE_US
        )


def select_footage(slices: Sequence[SegmentSlice], *, start_us: int, end_us: int) -> Selection:
    """Return the fragments that cover `[start_us, end_us)`, without overlap and starting at a keyframe.

    Where segments overlap (a successor starts before its predecessor stops), the later one takes over at its
    first keyframe, unless it ends before its predecessor does. A small overlap is the jitter of clocks
    between neighbours, and costs no picture.

    Raises:
        FootageMissingError: no keyframe of that range is recorded.
    """
    runs = [_keyframed_piece(one) for one in sorted(slices, key=lambda one: (one.start_us, one.path))]
    pieces = list(_without_overlap([run for run in runs if run is not None]))
    cut = [part for part in (_cut(piece, start_us, end_us) for piece in pieces) if part is not None]
    if not cut:
        message = f"expected footage between {start_us} and {end_us}, got none"
        raise FootageMissingError(message)
    return Selection(wanted_start_us=start_us, pieces=tuple(cut))


def _keyframed_piece(source: SegmentSlice) -> Piece | None:
    fragments = source.usable_fragments()
    for index, fragment in enumerate(fragments):
        if fragment.is_keyframe:
            return Piece(source, fragments[index:])
    return None


def _without_overlap(pieces: Sequence[Piece]) -> Iterator[Piece]:
    held: Piece | None = None
    for piece in pieces:
        if held is None:
            held = piece
        elif piece.end_us <= held.end_us:
            continue
        elif piece.start_us >= held.end_us - JOIN_TOLERANCE_US:
            yield held
            held = piece
        else:
            shortened = _before(held, piece.start_us)
            if shortened is not None:
                yield shortened
            held = piece
    if held is not None:
        yield held


def _before(piece: Piece, limit_us: int) -> Piece | None:
    base_us = piece.source.start_us
    kept = tuple(one for one in piece.fragments if base_us + one.start_us < limit_us)
    return Piece(piece.source, kept, limit_us) if kept else None


def _cut(piece: Piece, start_us: int, end_us: int) -> Piece | None:
    """Return a piece from the keyframe that opens `start_us` to the fragment that holds `end_us`."""
    if piece.end_us <= start_us or piece.start_us >= end_us:
        return None
    base_us = piece.source.start_us
    first = 0
    for index, one in enumerate(piece.fragments):
        if one.is_keyframe and base_us + one.start_us <= start_us:
            first = index
    kept = tuple(one for one in piece.fragments[first:] if base_us + one.start_us < end_us)
    return Piece(piece.source, kept, piece.limit_us) if kept else None
