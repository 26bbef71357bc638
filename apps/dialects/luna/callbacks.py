"""Luna's callbacks and notification policy, as targets of ours."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.alerts.callbacks import Callback, Owner, set_callbacks
from apps.alerts.models import OwnerKind
from apps.dialects.luna.analytics import parameters_of
from apps.dialects.luna.bodies import invalid
from apps.dialects.luna.callers import Caller
from apps.dialects.luna.notices import FORMAT
from apps.dialects.luna.wording import HIDDEN, naming
from apps.inference.models import Analytic
from apps.streams.models import Stream

LONGEST_WAIT_S = 10.0
_FIELDS = ("address", "authorization", "content_type", "timeout_s")


def set_stream_callbacks(caller: Caller, stream: Stream, body: Mapping[str, Any]) -> None:
    """Say where the status of a stream goes, and what each of its analytics finds."""
    policy = body.get("notification_policy") or {}
    owner = Owner(OwnerKind.STREAM, stream.pk, stream.camera)
    _set(caller, owner, policy.get("callbacks") or [], "notification_policy.callbacks")
    analytics = {row.number: row for row in Analytic.objects.filter(stream=stream)}
    for number, given in enumerate(body["analytics"]):
        owner = Owner(OwnerKind.ANALYTIC, analytics[number].pk, stream.camera)
        _set(caller, owner, parameters_of(given).get("callbacks") or [], f"analytics.{number}.callbacks")


def _set(caller: Caller, owner: Owner, given: Sequence[Mapping[str, Any]], path: str) -> None:
    """Make targets of those that are called over HTTP; sockets and events need none."""
    called = [one for one in given if one["type"] == "http" and one.get("enable", 1)]
    if any(HIDDEN in (one.get("authorization") or {}).values() for one in called):
        raise invalid(path, "a login is never shown: give it again")
    with naming(dict.fromkeys((*_FIELDS, "callbacks", "headers", "name"), path)):
        set_callbacks(actor=caller.actor, owner=owner, callbacks=[_callback(one) for one in called])


def _callback(given: Mapping[str, Any]) -> Callback:
    params = given.get("params") or {}
    values: dict[str, Any] = {"authorization": _login(given.get("authorization") or {})}
    if params.get("content_type"):
        values["content_type"] = params["content_type"]
    wait_s = _wait_s(params.get("timeout"))
    if wait_s is not None:
        values["timeout_s"] = wait_s
    return Callback(address=given["url"], name="luna", format=FORMAT, values=values)


def _login(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a login as targets have it; Luna calls the user's name `login`."""
    found = {name: value for name, value in given.items() if value is not None}
    if "login" in found:
        found["username"] = found.pop("login")
    return found


def _wait_s(timeout: Any) -> float | None:
    """Return how long to wait: the whole of it, else the longest part, and no longer than we ever do."""
    parts = timeout.values() if isinstance(timeout, Mapping) else [timeout]
    numbers = [float(one) for one in parts if isinstance(one, int | float) and not isinstance(one, bool)]
    if isinstance(timeout, Mapping) and isinstance(timeout.get("total"), int | float):
        numbers = [float(timeout["total"])]
    return min(max([0.1, *numbers]), LONGEST_WAIT_S) if numbers else None
