"""Moments in forms: UTC where the server writes them; the page turns them into the reader's own time."""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

_FORMAT = "%Y-%m-%dT%H:%M"


class MomentInput(forms.DateTimeInput):
    """A `datetime-local` field. What comes back carries its zone, or is UTC where there is no JavaScript."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        """Return a moment as such a field holds it; what is no moment is shown as nothing."""
        if isinstance(value, str):
            try:
                value = parse_datetime(value)
            except ValueError:
                return None
        if not isinstance(value, datetime):
            return None
        return (value.astimezone(UTC) if value.tzinfo else value).strftime(_FORMAT)
