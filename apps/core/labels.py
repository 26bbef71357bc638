"""Names that people give; they stand in logs and in other people's pages, so they hold no hidden orders."""

import unicodedata

from apps.core.exceptions import InvalidInputError

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they reorder what follows
_BREAKING = frozenset(
    {"Cc", "Cs", "Zl", "Zp"}
)  # control characters, halves of pairs, line and paragraph ends


def refuse_invisible(text: str, *, field: str) -> None:
    """Refuse characters that break lines or turn the direction of writing.

    Marks that letters and pictures are joined with stay: right-to-left names and emoji need them.
    """
    if any(one in _TURNING or unicodedata.category(one) in _BREAKING for one in text):
        raise InvalidInputError(
            "A name holds no line breaks, control characters or changes of the writing direction.",
            field=field,
        )
