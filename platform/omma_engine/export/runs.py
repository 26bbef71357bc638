"""Where one file of an export ends and the next begins."""

from collections.abc import Callable
from dataclasses import replace

from omma_engine.playback.slices import JOIN_TOLERANCE_US, Piece, Selection

MAX_FILE_US = 3600 * 1_000_000

Belongs = Callable[[Piece, Piece], bool]


def runs_of(selection: Selection, *, max_us: int = MAX_FILE_US) -> list[Selection]:
    """Split a selection into runs without a hole or a change of codec or size, each about an hour at most."""

    def belongs(before: Piece, piece: Piece) -> bool:
        return before.kind == piece.kind and piece.start_us - before.end_us <= JOIN_TOLERANCE_US

    return [part for run in split(selection, belongs) for part in _shortened(run, max_us)]


def split(selection: Selection, belongs: Belongs) -> list[Selection]:
    """Split a selection wherever a piece does not belong to the one before it."""
    runs: list[list[Piece]] = []
    for piece in selection.pieces:
        if runs and belongs(runs[-1][-1], piece):
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return [replace(selection, pieces=tuple(run)) for run in runs]


def _shortened(run: Selection, max_us: int) -> list[Selection]:
    parts: list[list[Piece]] = [[]]
    for piece in run.pieces:
        if parts[-1] and piece.end_us - parts[-1][0].start_us > max_us:
            parts.append([])
        parts[-1].append(piece)
    return [replace(run, pieces=tuple(part)) for part in parts]
