"""A camera's user name and password: sealed in the row, unsealed only where the source is opened.

So are passwords that stand in the path or the query of an address: the row's address has `***` there.
"""

import json
from collections.abc import Sequence
from urllib.parse import quote

from apps.cameras.models import Camera
from apps.core.credentials import seal, unseal
from omma_engine.redaction import show_parameters


def seal_login(username: str, password: str, hidden: Sequence[str] = ()) -> bytes | None:
    """Return what to store, or nothing when there is no secret. `hidden` are those of the address."""
    if not username and not password and not hidden:
        return None
    return seal(json.dumps([username, password, *hidden]))


def login_of(camera: Camera) -> tuple[str, str]:
    """Return (user name, password), both empty without a login. Raise `SecretsError` when the key is gone."""
    return open_login(camera.secret)


def open_login(secret: bytes | memoryview | None) -> tuple[str, str]:
    """Return (user name, password) out of what `seal_login` returned."""
    username, password, *_hidden = _opened(secret)
    return username, password


def whole_address(address: str, secret: bytes | memoryview | None) -> str:
    """Return a row's address with its secrets in their places. It is never logged and never stored."""
    return show_parameters(address, _opened(secret)[2:])


def url_with_login(address: str, username: str, password: str) -> str:
    """Return the address as it is opened, with the login in it. It is never logged and never stored.

    >>> url_with_login("rtsp://cam.local/main", "admin", "p@ss")
    'rtsp://admin:p%40ss@cam.local/main'
    """
    if not username and not password:
        return address
    scheme, separator, rest = address.partition("://")
    return f"{scheme}{separator}{quote(username, safe='')}:{quote(password, safe='')}@{rest}"


def _opened(secret: bytes | memoryview | None) -> list[str]:
    return json.loads(unseal(secret)) if secret else ["", ""]
