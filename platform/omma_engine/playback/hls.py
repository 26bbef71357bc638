"""Byte-range HLS playlists over segment files (RFC 8216, version 7, fragmented MP4)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from uuid import UUID

from omma_engine.playback.slices import Piece, Selection
from omma_engine.types import Fragment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_US = 1_000_000
PART_S = 2.0  # short groups of pictures share an entry, so that a list stays small
LONG_PART_S = 10.0  # for a list of many hours
_GROWING_TARGET_S = 10  # a list that grows may not change this (RFC 8216, 6.2.1), and cannot know what comes


@dataclass(frozen=True, slots=True)
class _Entry:
    start_us: int
    duration_us: int
    offset: int
    size: int


def playlist(
    selection: Selection, *, address_of: Callable[[UUID], str], is_growing: bool, part_s: float = PART_S
) -> str:
    """Return a media playlist whose entries are byte ranges of segment files, each starting at a keyframe.

    Every file is a discontinuity, because its timestamps start anew; holes show in PROGRAM-DATE-TIME.
    A growing range is an EVENT playlist without an end. What it lists never changes: its last entry waits for
    the keyframe that ends it.
    """
    part_us = round(part_s * _SECOND_US)
    entries = [(piece, _entries(piece, part_us)) for piece in selection.pieces]
    longest_us = max(entry.duration_us for _, listed in entries for entry in listed)
    target_s = max(1, ceil(longest_us / _SECOND_US))
    if is_growing:
        target_s = max(target_s, _GROWING_TARGET_S)
        entries = _without_unfinished(entries)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{target_s}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        f"#EXT-X-PLAYLIST-TYPE:{'EVENT' if is_growing else 'VOD'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    for index, (piece, listed) in enumerate(entries):
        lines += _piece_lines(piece, listed, address_of(piece.source.segment_id), is_first=index == 0)
    if not is_growing:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


def _without_unfinished(entries: list[tuple[Piece, list[_Entry]]]) -> list[tuple[Piece, list[_Entry]]]:
    """Leave the last entry out, which still grows."""
    piece, listed = entries[-1]
    return [*entries[:-1], (piece, listed[:-1])] if len(listed) > 1 else entries[:-1]


def _piece_lines(piece: Piece, entries: Sequence[_Entry], address: str, *, is_first: bool) -> Iterator[str]:
    if not is_first:
        yield "#EXT-X-DISCONTINUITY"
    yield f'#EXT-X-MAP:URI="{address}",BYTERANGE="{piece.source.init_size}@0"'
    for entry in entries:
        yield f"#EXT-X-PROGRAM-DATE-TIME:{_wall_time(entry.start_us)}"
        yield f"#EXTINF:{entry.duration_us / _SECOND_US:.6f},"
        yield f"#EXT-X-BYTERANGE:{entry.size}@{entry.offset}"
        yield address


def _entries(piece: Piece, part_us: int) -> list[_Entry]:
    groups = list(_groups(piece.fragments, part_us))
    base_us = piece.source.start_us
    starts = [base_us + group[0].start_us for group in groups]
    ends = [*starts[1:], max(piece.end_us, starts[-1] + 1)]
    return [
        _Entry(
            start_us, end_us - start_us, group[0].offset, group[-1].offset + group[-1].size - group[0].offset
        )
        for group, start_us, end_us in zip(groups, starts, ends, strict=True)
    ]


def _groups(fragments: Sequence[Fragment], part_us: int) -> Iterator[list[Fragment]]:
    """Yield runs of fragments that begin with a keyframe and are not too short."""
    group: list[Fragment] = []
    for fragment in fragments:
        if group and fragment.is_keyframe and _span_us(group) >= part_us:
            yield group
            group = []
        group.append(fragment)
    yield group


def _span_us(group: Sequence[Fragment]) -> int:
    return group[-1].start_us + group[-1].duration_us - group[0].start_us


def _wall_time(us: int) -> str:
    return (_EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
