"""Basic and Digest access (RFC 7617, RFC 7616, and RFC 2617 for old cameras)."""

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence

_FIELD = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_HASHES: Mapping[str, Callable[[bytes], str]] = {
    "MD5": lambda text: hashlib.md5(text, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda text: hashlib.sha256(text).hexdigest(),
}


class Login:
    """A name and a password, and what the camera asked for them last."""

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._scheme = ""
        self._fields: Mapping[str, str] = {}
        self._count = 0

    @property
    def is_given(self) -> bool:
        return bool(self._username or self._password)

    def challenge(self, values: Sequence[str]) -> bool:
        """Take the values of `WWW-Authenticate`, and return whether one of them can be answered."""
        parsed = [_parsed(value) for value in values]
        for scheme, fields in sorted(parsed, key=lambda each: each[0] != "digest"):
            if scheme == "basic" or (scheme == "digest" and _algorithm(fields) in _HASHES):
                self._scheme, self._fields, self._count = scheme, fields, 0
                return True
        return False

    def headers(self, method: str, uri: str) -> dict[str, str]:
        """Return the header that goes with a request; none before the camera asked."""
        if self._scheme == "basic":
            pair = base64.b64encode(f"{self._username}:{self._password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        if self._scheme == "digest":
            return {"Authorization": f"Digest {self._digest(method, uri)}"}
        return {}

    def _digest(self, method: str, uri: str) -> str:
        fields, hashed = self._fields, _HASHES[_algorithm(self._fields)]
        realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
        parts = {"username": self._username, "realm": realm, "nonce": nonce, "uri": uri}
        middle, plain = nonce, ""
        if "auth" in fields.get("qop", "").replace(" ", "").split(","):
            self._count += 1
            number, own = f"{self._count:08x}", secrets.token_hex(8)
            middle, plain = f"{nonce}:{number}:{own}:auth", f", qop=auth, nc={number}"
            parts["cnonce"] = own
        secret = hashed(f"{self._username}:{realm}:{self._password}".encode())
        target = hashed(f"{method}:{uri}".encode())
        parts["response"] = hashed(f"{secret}:{middle}:{target}".encode())
        parts |= {name: fields[name] for name in ("opaque",) if name in fields}
        if "algorithm" in fields:
            plain += f", algorithm={fields['algorithm']}"
        return ", ".join(f'{name}="{value}"' for name, value in parts.items()) + plain


def _parsed(value: str) -> tuple[str, dict[str, str]]:
    scheme, _, rest = value.partition(" ")
    return scheme.lower(), {name.lower(): quoted or plain for name, quoted, plain in _FIELD.findall(rest)}


def _algorithm(fields: Mapping[str, str]) -> str:
    return fields.get("algorithm", "MD5").upper()
