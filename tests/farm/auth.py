"""Basic and Digest access (RFC 7617, RFC 2617), the way cameras check it."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Literal

REALM = "farm"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


@dataclass(slots=True)
class Gate:
    """Checks the `Authorization` header of one camera's clients."""

    kind: Literal["none", "basic", "digest"]
    username: str
    password: str
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))

    def challenge(self) -> str:
        """Return the value of `WWW-Authenticate`."""
        if self.kind == "basic":
            return f'Basic realm="{REALM}"'
        return f'Digest realm="{REALM}", nonce="{self.nonce}"'

    def admits(self, method: str, header: str | None) -> bool:
        if self.kind == "none":
            return True
        scheme, _, rest = (header or "").partition(" ")
        if scheme.lower() != self.kind:
            return False
        return self._is_basic(rest) if self.kind == "basic" else self._is_digest(method, rest)

    def _is_basic(self, value: str) -> bool:
        expected = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return secrets.compare_digest(value.strip(), expected)

    def _is_digest(self, method: str, value: str) -> bool:
        given = {name: quoted or plain for name, quoted, plain in _FIELD.findall(value)}
        secret = _md5(f"{self.username}:{REALM}:{self.password}")
        target = _md5(f"{method}:{given.get('uri', '')}")
        middle = self.nonce
        if given.get("qop"):
            middle += f":{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
        expected = _md5(f"{secret}:{middle}:{target}")
        return given.get("nonce") == self.nonce and given.get("response") == expected


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
