"""What a password may not be, beside short and listed: a listed one that was only padded or repeated."""

import re
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_PADDING = re.compile(r"^[^a-z]+|[^a-z]+$")
_REPEATED = re.compile(r"(.{3,}?)\1+")
_LEETS = str.maketrans("01345$@!", "oleassai")


class PaddedPasswordValidator(CommonPasswordValidator):
    """Refuse `Passw0rd!2026`, `letmeinletmein` and the like: they are among the first that are tried."""

    def validate(self, password: str, user: Any = None) -> None:
        plain = password.lower().strip()
        for text in (plain, plain.translate(_LEETS)):
            for core in {
                _PADDING.sub("", text),
                _core_of_repeats(text),
                _core_of_repeats(_PADDING.sub("", text)),
            }:
                if len(core) >= 3 and core in self.passwords:
                    raise ValidationError(
                        _("This is a common password with something added to it."), code="password_padded"
                    )

    def get_help_text(self) -> str:
        return _("Not a common password with something added to it.")


def _core_of_repeats(text: str) -> str:
    found = _REPEATED.fullmatch(text)
    return found[1] if found else ""
