"""Waiting times that double up to a limit, with jitter, so that children do not come back in step."""

import random


class Backoff:
    """Says how long to wait after each failure in a row."""

    def __init__(self, *, first_s: float = 0.25, most_s: float = 2.0) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._next_s = first_s

    def next_s(self) -> float:
        wait_s = self._next_s * random.uniform(0.75, 1.25)  # noqa: S311 - jitter, not a secret
        self._next_s = min(self._most_s, self._next_s * 2)
        return wait_s

    def reset(self) -> None:
        self._next_s = self._first_s
