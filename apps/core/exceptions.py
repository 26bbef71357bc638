"""Errors of the applications; each knows its code, its HTTP status and, where there is one, its field.

OmmaError
├── InvalidInputError          400  a value cannot be used; names the field
│   ├── InvalidAddressError    400  an address cannot be parsed, resolved or understood
│   └── ForbiddenAddressError  400  the egress guard refuses an address
├── NotAuthenticatedError      401  no login, or one that is not valid (any more)
├── ForbiddenError             403  may be seen, but not this action
├── NotVisibleError            404  absent, or somebody else's: nobody can tell which
├── ConflictError              409  the row is not in a state that allows it
├── PayloadTooLargeError       413  more bytes than are accepted
├── RangeNotSatisfiableError   416  the bytes or the time asked for are not there
├── ThrottledError             429  too many tries; `retry_after_s` says when
├── UnavailableError           503  something that is needed is away; may be tried again
├── SecretsError               500  a stored credential cannot be read
└── InternalError              500  a fault in the program, which has been logged
"""

from collections.abc import Mapping
from typing import ClassVar


class OmmaError(Exception):
    """Base of every error that the applications raise on purpose; `message` is meant to be read by people."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    is_retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        fields: Mapping[str, list[str]] | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = code or self.code
        self.field = field
        self.fields = dict(fields or ({field: [message]} if field else {}))
        self.detail = dict(detail or {})


class InvalidInputError(OmmaError):
    code = "invalid"


class InvalidAddressError(InvalidInputError):
    code = "address_invalid"


class ForbiddenAddressError(InvalidInputError):
    code = "address_refused"


class NotAuthenticatedError(OmmaError):
    code = "not_authenticated"
    status = 401


class ForbiddenError(OmmaError):
    code = "permission_denied"
    status = 403


class NotVisibleError(OmmaError):
    code = "not_found"
    status = 404

    def __init__(self, message: str = "Not found.") -> None:
        super().__init__(message)


class ConflictError(OmmaError):
    code = "conflict"
    status = 409


class PayloadTooLargeError(OmmaError):
    code = "payload_too_large"
    status = 413


class RangeNotSatisfiableError(OmmaError):
    code = "range_not_satisfiable"
    status = 416


class ThrottledError(OmmaError):
    code = "throttled"
    status = 429
    is_retryable = True

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message, detail={"retry_after_s": retry_after_s})
        self.retry_after_s = retry_after_s


class UnavailableError(OmmaError):
    code = "unavailable"
    status = 503
    is_retryable = True


class SecretsError(OmmaError):
    code = "secrets"
    status = 500


class InternalError(OmmaError):
    code = "internal"
    status = 500
