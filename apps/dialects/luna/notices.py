"""What targets of the format `luna` are sent: the words of Luna's callbacks. Workers load this."""

import json
from typing import Any

from apps.alerts.messages import Body, Message, write_omma
from apps.alerts.models import NoticeKind
from apps.dialects.luna.crowds import crowd_body, status_body, teller_of
from apps.inference.models import Analytic

FORMAT = "luna"


def write(message: Message) -> Body | None:
    """Write a message as Luna does; what it has no words for (a test, a sum of very many) as we do."""
    told = _told(message)
    return write_omma(message) if told is None else Body(json.dumps(told, sort_keys=True).encode())


def _told(message: Message) -> dict[str, Any] | None:
    if message.kind == NoticeKind.STREAM_STATUS:
        return status_body(message.payload, message.account_id)
    if message.kind != NoticeKind.ANALYTIC_RESULT or message.subject_id is None:
        return None
    analytic = Analytic.objects.filter(pk=message.subject_id).first()
    if analytic is None:
        return None
    return crowd_body(message.payload, teller_of(analytic))
