"""Where one file of an export ends and the next begins."""

from collections.abc import Callable
from dataclasses import replace

from omma_engine.playback.slices import JOIN_TOLERANCE_US, Piece, Selection

MAX_FILE_US = 3600 * 1_000_000
MAX_FILE_BYTES = 2 << 30  # copied and hashed within one turn of a job, also by a slow disk

Belongs = Callable[[Piece, Piece], bool]


def runs_of(
    selection: Selection, *, max_us: int = MAX_FILE_US, max_bytes: int = MAX_FILE_BYTES
) -> list[Selection]:
    """Split a selection into runs without a hole or a change of codec or size, none too long or large."""

    def belongs(before: Piece, piece: Piece) -> bool:
        return before.kind == piece.kind and piece.start_us - before.end_us <= JOIN_TOLERANCE_US

    return [part for run in split(selection, belongs) for part in _shortened(run, max_us, max_bytes)]


def split(selection: Selection, belongs: Belongs) -> list[Selection]:
    """Split a selection wherever a piece does not belong to the one before it."""
    runs: list[list[Piece]] = []
    for piece in selection.pieces:
        if runs and belongs(runs[-1][-1], piece):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return [replace(selection, pieces=tuple(run)) for run in runs]


def _shortened(run: Selection, max_us: int, max_bytes: int) -> list[Selection]:
    parts: list[list[Piece]] = [[]]
    size = 0
    for piece in run.pieces:
        piece_bytes = sum(one.size for one in piece.fragments)
        is_long = bool(parts[-1]) and piece.end_us - parts[-1][0].start_us > max_us
        if is_long or (parts[-1] and size + piece_bytes > max_bytes):
            parts.append([])
            size = 0
        parts[-1].append(piece)
        size += piece_bytes
    return [replace(run, pieces=tuple(part)) for part in parts]
