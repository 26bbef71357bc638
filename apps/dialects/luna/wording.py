"""Between a client's words and ours: errors that name its fields, and copies of its words without secrets."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from apps.core.exceptions import InvalidInputError
from apps.dialects.luna.bodies import invalid
from omma_engine.redaction import redact

HIDDEN = "***"
_SECRET_NAMES = frozenset({
    "password", "passwd", "pwd", "token", "secret", "api_key", "apikey", "access_key", "secret_key",
})  # fmt: skip
_SECRET_PARTS = ("password", "secret", "token", "private_key", "credential")


@contextmanager
def naming(fields: Mapping[str, str]) -> Iterator[None]:
    """Raise what is wrong with one of our fields as what is wrong with the client's."""
    try:
        yield
    except InvalidInputError as error:
        name = (error.field or next(iter(error.fields), "")).partition(".")[0]
        raise invalid(fields.get(name, name), error.message) from error


def is_secret(name: str) -> bool:
    """Tell whether what has this name is not to be shown.

    >>> is_secret("DB_PASSWORD"), is_secret("timeout")
    (True, False)
    """
    lowered = name.lower()
    return lowered in _SECRET_NAMES or any(part in lowered for part in _SECRET_PARTS)


def without_secrets(value: Any) -> Any:
    """Return a copy that may be shown: logins in addresses and values with a secret's name are hidden."""
    if isinstance(value, Mapping):
        return {
            name: _hidden(one) if is_secret(name) or name == "authorization" else without_secrets(one)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple):
        return [without_secrets(one) for one in value]
    return redact(value) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: one if name in {"type", "login"} else _hidden(one) for name, one in value.items()}
    return HIDDEN if value else value
