"""A camera's login: sealed when it is stored, opened only for whoever opens the camera."""

import json
from dataclasses import dataclass, field

from apps.core.credentials import seal, unseal


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password; both empty: the camera asks for none."""

    username: str = ""
    password: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.username or self.password)


def seal_login(login: Login) -> bytes | None:
    """Return the login encrypted, or None where there is none."""
    if not login:
        return None
    return seal(json.dumps({"username": login.username, "password": login.password}))


def open_secret(secret: bytes | memoryview | None) -> Login:
    """Return the login again; raises `SecretsError` when its key is gone."""
    if not secret:
        return Login()
    values = json.loads(unseal(secret))
    return Login(username=values["username"], password=values["password"])
