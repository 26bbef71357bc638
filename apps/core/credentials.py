"""Credentials at rest: AES-256-GCM under keys that lie outside the database.

Keys are files `credentials/<key id>.key` in `OMMA_SECRETS_DIR`, 32 bytes in base64. Ids sort by age: the
newest key seals, every key that is still there unseals. To rotate, add a key (`add_key`), re-seal what is
stored (`needs_resealing`), and remove the old file.

A sealed value is: key id (ASCII, `KEY_ID_LENGTH` bytes) · nonce (12 bytes) · ciphertext and tag. The key id
is authenticated too.
"""

import base64
import binascii
import os
import re
import secrets
import time
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from apps.core.exceptions import SecretsError

KEY_ID_LENGTH = 20
_NONCE_BYTES = 12  # NIST SP 800-38D section 8.2: 96 bits
_KEY_BYTES = 32
_KEY_ID = re.compile(rf"[0-9a-f]{{{KEY_ID_LENGTH}}}")


def seal(text: str) -> bytes:
    """Return the text encrypted under the newest key; the first call makes one."""
    key_ids = _key_ids()
    key_id = key_ids[-1] if key_ids else add_key()
    nonce = secrets.token_bytes(_NONCE_BYTES)
    header = key_id.encode("ascii")
    return header + nonce + AESGCM(_read_key(key_id)).encrypt(nonce, text.encode(), header)


def unseal(sealed: bytes | memoryview) -> str:
    """Return the text again; raise `SecretsError` when the key is gone or the value was changed."""
    blob = bytes(sealed)
    key_id = _key_id_of(blob)
    nonce = blob[KEY_ID_LENGTH : KEY_ID_LENGTH + _NONCE_BYTES]
    try:
        plain = AESGCM(_read_key(key_id)).decrypt(
            nonce, blob[KEY_ID_LENGTH + _NONCE_BYTES :], key_id.encode("ascii")
        )
    except (InvalidTag, ValueError) as exc:
        raise SecretsError(f"A stored credential does not match its key {key_id}.") from exc
    return plain.decode()


def needs_resealing(sealed: bytes | memoryview) -> bool:
    """Whether a value was sealed under an older key than the newest."""
    return _key_id_of(bytes(sealed)) != _key_ids()[-1]


def add_key() -> str:
    """Make a new key, which seals from now on, and return its id."""
    key_id = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(4)}"
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_durably(folder / f"{key_id}.key", base64.b64encode(secrets.token_bytes(_KEY_BYTES)))
    return key_id


def _write_durably(path: Path, content: bytes) -> None:
    """Write, sync, and only then give the file its name: no reader sees half a key, no crash loses one."""
    draft = path.with_suffix(f".{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _folder() -> Path:
    return Path(settings.OMMA_SECRETS_DIR) / "credentials"


def _key_ids() -> list[str]:
    """Return the ids of all keys, oldest first."""
    return sorted(path.stem for path in _folder().glob("*.key") if _KEY_ID.fullmatch(path.stem))


def _key_id_of(blob: bytes) -> str:
    key_id = blob[:KEY_ID_LENGTH].decode("ascii", errors="replace")
    if not _KEY_ID.fullmatch(key_id):
        raise SecretsError("A stored credential does not begin with a key's id.")
    return key_id


def _read_key(key_id: str) -> bytes:
    path = _folder() / f"{key_id}.key"
    try:
        return base64.b64decode(path.read_bytes(), validate=True)
    except FileNotFoundError as exc:
        raise SecretsError(f"The key {key_id} of a stored credential is gone.") from exc
    except binascii.Error as exc:
        raise SecretsError(f"The key {key_id} is not readable.") from exc
