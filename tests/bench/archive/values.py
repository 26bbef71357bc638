"""What the bench and the process that fills its archive both know; importing it costs nothing."""

FILE_NAME = "template.mp4"  # the one real file, which every row describes
MIN_FREE_BYTES = 4 << 30  # to be left for others
_BYTES_A_ROW = 3000  # a segment and a track with their indexes, and what comes with them


def bytes_for(rows: int) -> int:
    """Return how much room an archive takes, about, its log included."""
    return rows * _BYTES_A_ROW + (2 << 30)
