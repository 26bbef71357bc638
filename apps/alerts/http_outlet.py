"""Targets over HTTP: webhooks, signed, at addresses that the egress guard lets pass at each send anew."""

import base64
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from apps.alerts.http_call import CallError, post
from apps.alerts.messages import JSON_TYPE
from apps.alerts.outlets import Answer, Parcel, Secret
from apps.alerts.signing import is_key, sign
from apps.core.egress import CheckedAddress, check_outbound
from apps.core.exceptions import ForbiddenAddressError, InvalidInputError, OmmaError
from apps.core.networks import faces

MAX_HEADERS = 20
MAX_HEADER_LENGTH = 1000
MAX_BODY_BYTES = 1 << 20
MAX_TIMEOUT_S = 10.0
DEFAULT_TIMEOUT_S = 10.0
_SCHEMES = frozenset({"http", "https"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", re.ASCII)  # RFC 9110 section 5.6.2
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}(; ?charset=[\w-]{1,20})?", re.ASCII)
_OWN_HEADERS = frozenset(
    {
        "host", "content-length", "content-type", "transfer-encoding", "connection", "upgrade", "te",
        "trailer", "expect", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature",
        "omma-repeat", "omma-late",
    }
)  # fmt: skip


class HttpOutlet:
    """Posts to webhooks."""

    def place_of(self, secret: Secret) -> str:
        checked = _checked(secret.address)
        _check_authorization(secret.authorization)
        _check_headers(secret.headers)
        if not is_key(secret.signing_key):
            raise InvalidInputError("Expected whsec_ and 24 to 64 bytes in base64.", field="signing_key")
        return f"{checked.origin}/…"[:300]

    def checked_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        found = {"content_type": options.get("content_type") or JSON_TYPE}
        if not isinstance(found["content_type"], str) or not _MEDIA_TYPE.fullmatch(found["content_type"]):
            raise InvalidInputError("Expected a media type such as application/json.", field="content_type")
        timeout_s = options.get("timeout_s", DEFAULT_TIMEOUT_S)
        is_number = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool)
        if not is_number or not 0.1 <= timeout_s <= MAX_TIMEOUT_S:
            raise InvalidInputError(f"Expected 0.1 to {MAX_TIMEOUT_S:g} seconds.", field="timeout_s")
        is_wanted = options.get("includes_picture", False)
        if not isinstance(is_wanted, bool):
            raise InvalidInputError("Expected true or false.", field="includes_picture")
        return {**found, "timeout_s": float(timeout_s), "includes_picture": is_wanted}

    def send(self, parcel: Parcel) -> Answer:
        if len(parcel.body.content) > MAX_BODY_BYTES:
            return Answer(413, f"it would be larger than {MAX_BODY_BYTES} bytes")
        try:
            address = _checked(parcel.secret.address)
            timeout_s = float(parcel.options.get("timeout_s", DEFAULT_TIMEOUT_S))
            reply = post(
                address, body=parcel.body.content, headers=_headers_of(parcel, address), timeout_s=timeout_s
            )
        except OmmaError as error:
            return Answer(error=error.message)
        except CallError as error:
            return Answer(error=str(error))
        if 200 <= reply.status < 300:
            return Answer(reply.status)
        if 300 <= reply.status < 400:
            return Answer(reply.status, f"it answered {reply.status}; redirects are not followed")
        return Answer(reply.status, f"it answered {reply.status} {reply.reason}".strip(), reply.retry_after_s)


def _checked(address: str) -> CheckedAddress:
    """Ask the egress guard; without encryption only to networks that the host's owner has allowed."""
    checked = check_outbound(address, schemes=_SCHEMES)
    if checked.username or checked.password:
        raise InvalidInputError("Give the login by itself, not in the address.", field="address")
    if checked.scheme != "https" and not _is_allowed_network(checked.numeric_host):
        raise ForbiddenAddressError("The address has to begin with https://.", field="address")
    return checked


def _is_allowed_network(host: str) -> bool:
    allowed = [ipaddress.ip_network(text, strict=False) for text in settings.OMMA_EGRESS_ALLOW]
    return any(
        face.version == network.version and face in network
        for face in faces(ipaddress.ip_address(host))
        for network in allowed
    )


def _check_authorization(given: Mapping[str, str]) -> None:
    needed = {
        "basic": {"type", "username", "password"},
        "bearer": {"type", "token"},
        "token": {"type", "token"},
    }
    if not given:
        return
    if set(given) != needed.get(str(given.get("type")), set()):
        raise InvalidInputError(
            "Expected type basic with username and password, or bearer or token with token.",
            field="authorization",
        )
    for value in given.values():
        if not isinstance(value, str) or len(value) > MAX_HEADER_LENGTH or not _is_header_text(value):
            raise InvalidInputError("Expected printable ASCII.", field="authorization")


def _check_headers(headers: Mapping[str, str]) -> None:
    if len(headers) > MAX_HEADERS:
        raise InvalidInputError(f"Expected at most {MAX_HEADERS} headers.", field="headers")
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise InvalidInputError(f"The header {name[:64]!r} cannot be set.", field="headers")
        if not isinstance(value, str) or len(value) > MAX_HEADER_LENGTH or not _is_header_text(value):
            raise InvalidInputError(f"The header {name} has a value that cannot be sent.", field="headers")


def _is_header_text(text: str) -> bool:
    return all(" " <= character <= "~" for character in text)


def _headers_of(parcel: Parcel, address: CheckedAddress) -> dict[str, str]:
    secret, now_s = parcel.secret, int(timezone.now().timestamp())
    headers = {**secret.headers, **_authorization(secret.authorization)}
    headers["Content-Type"] = str(parcel.options.get("content_type") or parcel.body.content_type)
    headers["webhook-id"] = str(parcel.id)
    headers["webhook-timestamp"] = str(now_s)
    headers["webhook-signature"] = sign(
        secret.signing_key, message_id=str(parcel.id), timestamp_s=now_s, body=parcel.body.content
    )
    if parcel.is_repeat:
        headers["omma-repeat"] = "1"
    if parcel.is_late:
        headers["omma-late"] = "1"
    return headers


def _authorization(given: Mapping[str, str]) -> dict[str, str]:
    match given.get("type"):
        case "basic":
            login = base64.b64encode(f"{given['username']}:{given['password']}".encode()).decode("ascii")
            return {"Authorization": f"Basic {login}"}
        case "bearer":
            return {"Authorization": f"Bearer {given['token']}"}
        case "token":
            return {"Authorization": given["token"]}
        case _:
            return {}
