"""Foreign errors, translated once at the edge into those of `apps.core.exceptions`."""

import kombu.exceptions
import redis.exceptions
from django.core.exceptions import (
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404

from apps.core.exceptions import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotVisibleError,
    OmmaError,
    PayloadTooLargeError,
    UnavailableError,
)

_DATABASE_AWAY = (OperationalError, InterfaceError)
_BROKER_AWAY = (
    redis.exceptions.ConnectionError,
    redis.exceptions.TimeoutError,
    kombu.exceptions.OperationalError,
)


def translate(exc: BaseException) -> OmmaError | None:
    """Return the error as one of ours, or None when it is a fault in the program."""
    if isinstance(exc, OmmaError):
        return exc
    if isinstance(exc, Http404 | ObjectDoesNotExist):
        return NotVisibleError()
    if isinstance(exc, PermissionDenied):
        return ForbiddenError(str(exc) or "You may not do this.")
    if isinstance(exc, ValidationError):
        return _translate_validation(exc)
    if isinstance(exc, RequestDataTooBig):
        return PayloadTooLargeError("The request is larger than is accepted.")
    if isinstance(exc, SuspiciousOperation):
        return InvalidInputError("The request cannot be understood.")
    return _translate_service(exc)


def _translate_service(exc: BaseException) -> OmmaError | None:
    if isinstance(exc, _DATABASE_AWAY):
        return UnavailableError("The database is away; try again in a moment.", code="database_unavailable")
    if isinstance(exc, _BROKER_AWAY):
        return UnavailableError(
            "The message broker is away; try again in a moment.", code="broker_unavailable"
        )
    if isinstance(exc, IntegrityError):
        return ConflictError("This conflicts with what is already there.", detail=_constraint_of(exc))
    if isinstance(exc, DataError):
        # NUL in JSON, numbers beyond a column's range: what validators did not know of.
        return InvalidInputError("A value cannot be stored.")
    return None


def _translate_validation(exc: ValidationError) -> InvalidInputError:
    if not hasattr(exc, "error_dict"):
        return InvalidInputError(" ".join(exc.messages))
    fields = {
        ("non_field_errors" if name == "__all__" else name): texts for name, texts in exc.message_dict.items()
    }
    return InvalidInputError(summary_of(fields), fields=fields)


def summary_of(fields: dict[str, list[str]]) -> str:
    """Return one line that names the first field and what is wrong with it."""
    for name, messages in fields.items():
        text = messages[0] if messages else "This value cannot be used."
        return text if name == "non_field_errors" else f"{name}: {text}"
    return "The request cannot be used."


def _constraint_of(exc: IntegrityError) -> dict[str, object]:
    name = getattr(getattr(exc.__cause__, "diag", None), "constraint_name", None)
    return {"constraint": name} if name else {}
