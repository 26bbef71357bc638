"""The service's configuration as Luna shows it: sections of values, and nothing secret in them."""

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings

from apps.dialects.luna.statuses import status_numbers
from apps.dialects.luna.wording import HIDDEN, is_secret, without_secrets

SHORTEST_SECRET = 4  # what is shorter would be found in innocent text

Sections = dict[str, dict[str, Any]]


def configuration() -> Sections:
    """Return every setting that Omma has of its own, and the servers that it stands on."""
    own = {name: getattr(settings, name) for name in dir(settings) if name.startswith("OMMA_")}
    sections: Sections = {
        "OMMA": {name.removeprefix("OMMA_"): _shown(name, value) for name, value in sorted(own.items())},
        "LUNA_VIDEO_AGENT_STATUSES": dict(status_numbers()),
        "LUNA_VIDEO_AGENT_DB": _server(settings.DATABASE_URL),
        "REDIS_DB_ADDRESS": _server(settings.REDIS_URL),
        "BUS_ADDRESS": _server(settings.BUS_URL),
        "LOGGER": {"level": logging.getLevelName(logging.getLogger().level)},
    }
    hidden: Sections = _blank(sections, _secrets())
    return hidden


def as_text(sections: Sections) -> str:
    """Return it as lines, `SECTION.name = value`."""
    return "".join(
        f"{section}.{name} = {value}\n"
        for section, values in sections.items()
        for name, value in values.items()
    )


def _shown(name: str, value: Any) -> Any:
    if is_secret(name) and not name.endswith("_DIR"):
        return HIDDEN if value else value
    return without_secrets(json.loads(json.dumps(value, default=str)))  # paths and networks as text


def _server(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    socket = parse_qs(parts.query).get("host", [""])[-1] or (parts.path if parts.scheme == "unix" else "")
    return {
        "scheme": parts.scheme,
        "host": parts.hostname or socket,
        "port": parts.port,
        "name": unquote(parts.path.lstrip("/")) if parts.scheme != "unix" else "",
        "user": parts.username,
        "password": HIDDEN if parts.password else None,
    }


def _secrets() -> list[str]:
    """Return every secret that this process knows, as it would stand in a text."""
    passwords = [urlsplit(url).password for url in _addresses()]
    known = [*passwords, *(unquote(one) for one in passwords if one)]
    known += [settings.SECRET_KEY, settings.OMMA_ADMIN_PASSWORD]
    return sorted({one for one in known if one and len(one) >= SHORTEST_SECRET}, key=len, reverse=True)


def _addresses() -> list[str]:
    return [settings.DATABASE_URL, settings.REDIS_URL, settings.BUS_URL]


def _blank(value: Any, secrets: list[str]) -> Any:
    """Hide what is secret wherever it stands, under whatever name."""
    if isinstance(value, Mapping):
        return {name: _blank(one, secrets) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_blank(one, secrets) for one in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
    return value
