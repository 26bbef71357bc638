"""What a service refuses, shown at the form's fields that it names."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.forms import Form

from apps.core.exceptions import OmmaError


def show_error(
    form: Form, error: OmmaError | ValidationError, renamed: Mapping[str, str] | None = None
) -> None:
    """Put each error at its field, or on top of the form when it names none that the form has.

    `renamed` maps the service's names to the form's, where those differ.
    """
    for named, texts in _texts(error).items():
        name = (renamed or {}).get(named, named)
        for text in texts:
            form.add_error(name if name in form.fields else None, text)


def _texts(error: OmmaError | ValidationError) -> dict[str, list[str]]:
    if isinstance(error, ValidationError):
        return dict(error.message_dict) if hasattr(error, "error_dict") else {"": list(error.messages)}
    return {name: list(texts) for name, texts in error.fields.items()} or {"": [error.message]}
