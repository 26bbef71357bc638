"""Every route of the URL map, with what is needed to try it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver

_NAMED_GROUP = re.compile(r"\(\?P<(\w+)>[^()]*\)")
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """A route as written, with `{}` where ids stand."""

    template: str

    @property
    def has_parameter(self) -> bool:
        return "{}" in self.template

    @property
    def collection(self) -> str:
        """The word before the first parameter: what kind of thing the id names."""
        return self.template.partition("/{}")[0].rpartition("/")[2]

    def address(self, value: object) -> str:
        return "/" + self.template.replace("{}", str(value))


def all_routes() -> list[Route]:
    """Return every route but those of Django's admin, which has a test of its own."""
    found = dict.fromkeys(_template(parts) for parts in _walk(get_resolver().url_patterns, ()))
    return [Route(template) for template in found if not template.startswith("admin/")]


def admin_addresses() -> list[str]:
    """Return the admin's addresses without parameters."""
    templates = {_template(parts) for parts in _walk(get_resolver().url_patterns, ())}
    return sorted(
        "/" + one for one in templates if one.startswith("admin/") and "{}" not in one and "(" not in one
    )


def _walk(patterns: list[Any], before: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for pattern in patterns:
        parts = (*before, str(pattern.pattern))
        if isinstance(pattern, URLPattern):
            yield parts
        else:
            yield from _walk(pattern.url_patterns, parts)


def _template(parts: tuple[str, ...]) -> str:
    text = "".join(part.removeprefix("^").removesuffix("$").removesuffix(r"\Z") for part in parts)
    return _CONVERTER.sub("{}", _NAMED_GROUP.sub("{}", text))
