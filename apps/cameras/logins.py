"""A camera's user name and password: sealed in the row, unsealed only where the source is opened."""

import json
from urllib.parse import quote

from apps.cameras.models import Camera
from apps.core.credentials import seal, unseal


def seal_login(username: str, password: str) -> bytes | None:
    """Return what to store, or nothing when there is no login."""
    if not username and not password:
        return None
    return seal(json.dumps([username, password]))


def login_of(camera: Camera) -> tuple[str, str]:
    """Return (user name, password), both empty without a login. Raise `SecretsError` when the key is gone."""
    return open_login(camera.secret)


def open_login(secret: bytes | memoryview | None) -> tuple[str, str]:
    """Return (user name, password) out of what `seal_login` returned."""
    if not secret:
        return "", ""
    username, password = json.loads(unseal(secret))
    return username, password


def url_with_login(address: str, username: str, password: str) -> str:
    """Return the address as it is opened, with the login in it. It is never logged and never stored.

    >>> url_with_login("rtsp://cam.local/main", "admin", "p@ss")
    'rtsp://admin:p%40ss@cam.local/main'
    """
    if not username and not password:
        return address
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{quote(username, safe='')}:{quote(password, safe='')}@{rest}"
