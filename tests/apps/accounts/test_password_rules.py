"""Passwords that are tried first are refused, however they are padded; phrases are taken."""

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.accounts.models import User


@pytest.mark.parametrize(
    "password",
    [
        "Passw0rd!2026", "password2026!", "letmeinletmein", "123qwerty1234", "!!!dragon!!!!!",
        "P@ssword12345", "1q2w3e4r5t6y", "monkeymonkeymonkey", "iloveyou-2026",
    ],
)  # fmt: skip
def test_common_ones_with_something_added_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="ada"))


@pytest.mark.parametrize(
    "password",
    [
        "a long enough password",
        "correct horse battery",
        "Kühe fliegen 1968 tief",
        "9fK2-mvq7-Zp4x",
        "dragon at the gate",
    ],
)
def test_phrases_are_taken(password: str) -> None:
    validate_password(password, User(username="ada"))


def test_somebodys_own_name_is_refused() -> None:
    with pytest.raises(ValidationError):
        validate_password("adalovelace1815", User(username="adalovelace"))
