"""Whether all of a piece was read: a demuxer passes over what it cannot read, and says nothing."""

from bisect import bisect_right

from omma_engine.errors import FootageDamagedError
from omma_engine.playback.slices import Piece


class UnseenFragments:
    """The fragments of a piece that have yielded no picture (yet); every indexed one has some."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self._offsets = [one.offset for one in piece.fragments]
        self._left = set(range(len(self._offsets)))

    def take(self, position: int | None) -> None:
        """Note that a picture at this byte of the file was read."""
        if position is not None and position >= self._offsets[0]:
            self._left.discard(bisect_right(self._offsets, position) - 1)

    def refuse(self) -> None:
        """Raise where something is missing, so that a part is not taken for the whole."""
        if self._left:
            first = self._piece.fragments[min(self._left)]
            message = f"expected pictures at byte {first.offset} of {self._piece.source.path}, got none"
            raise FootageDamagedError(message)
