"""Stretches of time as pairs of integers, half-open: put together, and taken away from each other."""

from collections.abc import Iterable

Span = tuple[int, int]


def merged(spans: Iterable[Span], *, tolerance: int = 0) -> list[Span]:
    """Return the spans in order, those joined that touch or miss each other by `tolerance` at most.

    >>> merged([(5, 9), (0, 4), (4, 5), (20, 30)])
    [(0, 9), (20, 30)]
    """
    runs: list[Span] = []
    for start, end in sorted(spans):
        if runs and start - runs[-1][1] <= tolerance:
            runs[-1] = (runs[-1][0], max(runs[-1][1], end))
        elif end > start:
            runs.append((start, end))
    return runs


def without(span: Span, taken: Iterable[Span], *, tolerance: int = 0) -> list[Span]:
    """Return what of a span is left when others are taken away; rests up to `tolerance` long are dropped.

    >>> without((0, 10), [(2, 3), (8, 20)])
    [(0, 2), (3, 8)]
    """
    left: list[Span] = []
    position = span[0]
    for start, end in merged(taken):
        if start >= span[1]:
            break
        if start - position > tolerance:
            left.append((position, start))
        position = max(position, end)
    if span[1] - position > tolerance:
        left.append((position, span[1]))
    return left
