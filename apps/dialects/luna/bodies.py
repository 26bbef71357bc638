"""Bodies of requests: JSON, of a bounded size, in the shape that a schema says."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest

from apps.dialects.luna.errors import BAD_BODY, BAD_CONTENT_TYPE, EMPTY_BODY, LunaError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

LONGEST_MESSAGE = 200


def read_body(request: HttpRequest, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body when the schema takes it; the error names the path and what is wrong there."""
    if not request.body:
        raise LunaError(EMPTY_BODY, "Request body is empty")
    if request.content_type != "application/json":
        raise LunaError(BAD_CONTENT_TYPE, "Bad content type, expected application/json")
    body = _parse(request.body)
    check(body, schema)
    found: dict[str, Any] = body
    return found


def check(value: Any, schema: Mapping[str, Any]) -> None:
    """Refuse what the schema does not take."""
    from jsonschema import Draft202012Validator  # 2 MB, and only whoever answers requests needs it
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema).iter_errors(value))
    if error is not None:
        raise invalid(_path_of(error), error.message)


def invalid(path: str, message: str) -> LunaError:
    """Return how Luna says that something in a body is wrong."""
    text = message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"
    return LunaError(BAD_BODY, f"Failed to validate input json. Path: '{path}', message: '{text}'")


def _parse(text: bytes) -> Any:
    """Return what JSON says; text that no database takes is refused."""
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant)
        if b"\\u" in text:
            json.dumps(parsed, ensure_ascii=False).encode()
    except RecursionError as error:
        raise invalid("", "the JSON is nested too deeply") from error
    except UnicodeEncodeError as error:
        raise invalid("", "the JSON holds half a surrogate pair") from error
    except ValueError as error:
        raise invalid("", f"this is no JSON: {error}") from error
    if b"\\u0000" in text:
        raise invalid("", "text cannot hold a NUL character")
    return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _path_of(error: "ValidationError") -> str:
    """Return where, `analytics.0.label`; for a name that is missing its own, which the message says too."""
    parts = [str(part) for part in error.absolute_path]
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        parts += missing[:1]
    return ".".join(parts)
