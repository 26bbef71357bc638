"""A house with a program that speaks Luna, and what it sends."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.test import Client

from apps.accounts.models import Account, Member
from tests import factories

Body = dict[str, Any]


@dataclass(frozen=True)
class Luna:
    """A client of one agent, with a token in the address."""

    account: Account
    member: Member
    token: str

    @property
    def base(self) -> str:
        return f"/compat/luna/{self.token}"

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Return the answer to a request below the base."""
        headers = {"luna-account-id": str(self.account.pk), **options.pop("headers", {})}
        if body is not None:
            options |= {"data": body, "content_type": options.get("content_type", "application/json")}
        return Client().generic(method, self.base + path, headers=headers, **_as_text(options))

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of an answer that must be good."""
        answer = self.ask("GET", f"{path}?{urlencode(query)}" if query else path)
        assert answer.status_code == 200, answer.content
        return answer.json()

    def create(self, **changes: Any) -> str:
        """Create a stream that must be taken, and return its id."""
        answer = self.ask("POST", "/2/streams", stream_body(**changes))
        assert answer.status_code == 201, answer.content
        stream_id: str = answer.json()["stream_id"]
        return stream_id


def _as_text(options: dict[str, Any]) -> dict[str, Any]:
    data = options.get("data")
    if data is not None and not isinstance(data, str | bytes):
        options["data"] = json.dumps(data)
    return options


def make_luna(role: str = "admin", account: Account | None = None) -> Luna:
    account = account or factories.make_account()
    member = factories.make_member(account, role)
    return Luna(account, member, factories.make_token(member, role)[1])


def stream_body(**changes: Any) -> Body:
    """Return what creates a stream; None leaves a key out."""
    body: Body = {
        "name": f"gate {uuid4().hex[:6]}",
        "data": {"type": "stream", "reference": "synthetic:yard"},
        "analytics": [{"analytic_name": "people_count", "parameters": {"people_count_threshold": 0}}],
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def error_of(answer: Any) -> tuple[int, int, str]:
    """Return HTTP status, number and detail of an error, whose form is checked."""
    body = answer.json()
    assert sorted(body) == ["desc", "detail", "error_code", "link"], body
    return answer.status_code, body["error_code"], body["detail"]
