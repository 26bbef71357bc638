"""The bus's address for children: it may hold a password, and everybody may read command lines."""

import os

VARIABLE = "OMMA_BUS_URL_OF_CHILDREN"
_MARK = "env:"


def hide(url: str) -> str:
    """Put the address into the environment, which children inherit; return what stands for it."""
    os.environ[VARIABLE] = url
    return f"{_MARK}{VARIABLE}"


def find(text: str) -> str:
    """Return the address that this stands for; any other text is the address itself."""
    return os.environ[text.removeprefix(_MARK)] if text.startswith(_MARK) else text
