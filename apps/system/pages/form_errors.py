"""An error of a service, shown at the form's field that it names."""

from django.forms import Form

from apps.core.exceptions import OmmaError


def show_error(form: Form, error: OmmaError) -> None:
    """Put the error at its field, or on top of the form when it names none that the form has."""
    field = error.field if error.field in form.fields else None
    form.add_error(field, error.message)
