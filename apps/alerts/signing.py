"""Signatures after the Standard Webhooks specification (https://www.standardwebhooks.com), version v1.

What is signed is `<id>.<timestamp>.<body>`, with HMAC-SHA256 under the key that stands in base64 after
`whsec_`. The receiver makes the same, compares in constant time, and refuses timestamps that are minutes off.
"""

import base64
import binascii
import hashlib
import hmac
import secrets

PREFIX = "whsec_"
_KEY_BYTES = 32


def new_key() -> str:
    """Return a new signing key, as both sides write it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def is_key(text: str) -> bool:
    """Tell whether a text is a signing key of 24 to 64 bytes."""
    try:
        raw = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith(PREFIX) and 24 <= len(raw) <= 64


def sign(key: str, *, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`."""
    raw = base64.b64decode(key.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    digest = hmac.new(raw, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")
