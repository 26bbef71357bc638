"""Credentials at rest."""

import time
from pathlib import Path

import pytest
from pytest_django import Settings

from apps.core.credentials import KEY_ID_LENGTH, add_key, needs_resealing, seal, unseal
from apps.core.exceptions import SecretsError


@pytest.fixture(autouse=True)
def keys(settings: Settings, tmp_path: Path) -> Path:
    settings.OMMA_SECRETS_DIR = tmp_path / "secrets"
    return tmp_path / "secrets" / "credentials"


@pytest.mark.parametrize("text", ["", "pass:word", "pässwörd ✓", "x" * 10_000])
def test_what_is_sealed_can_be_unsealed(text: str) -> None:
    sealed = seal(text)

    assert unseal(sealed) == text
    assert unseal(memoryview(sealed)) == text
    assert not text or text.encode() not in sealed


def test_the_same_text_never_looks_the_same() -> None:
    assert seal("secret") != seal("secret")


def test_keys_are_made_when_missing_and_for_the_owner_only(keys: Path) -> None:
    sealed = seal("secret")

    (key,) = keys.iterdir()
    assert key.name == f"{sealed[:KEY_ID_LENGTH].decode()}.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700


def test_the_newest_key_seals_and_every_key_unseals(monkeypatch: pytest.MonkeyPatch) -> None:
    old = seal("secret")
    monkeypatch.setattr(time, "time_ns", lambda: 2**62)
    newest = add_key()

    new = seal("secret")

    assert new[:KEY_ID_LENGTH].decode() == newest
    assert (unseal(old), unseal(new)) == ("secret", "secret")
    assert needs_resealing(old)
    assert not needs_resealing(new)


def test_a_changed_byte_is_noticed() -> None:
    sealed = seal("secret")

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SecretsError):
            unseal(bytes(changed))


def test_a_missing_key_is_said_so(keys: Path) -> None:
    sealed = seal("secret")
    next(keys.iterdir()).unlink()

    with pytest.raises(SecretsError, match="is gone"):
        unseal(sealed)


@pytest.mark.parametrize("blob", [b"", b"short", b"../../../etc/passwd\x00 ", b"\xff" * 60])
def test_what_is_no_sealed_value_is_refused(blob: bytes) -> None:
    with pytest.raises(SecretsError):
        unseal(blob)
