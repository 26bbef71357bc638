"""The addresses about the agent itself: info, documents, configuration, plugins, health, version."""

from django.http import HttpResponse

from apps.core.exceptions import ForbiddenError
from apps.dialects.luna import agent, manual, specification
from apps.dialects.luna.answering import Answer, Call
from apps.dialects.luna.configuration import as_text, configuration
from apps.dialects.luna.errors import NOT_ACCEPTABLE, LunaError
from apps.dialects.luna.queries import Query
from apps.system.selectors import may_see_system

YAML, HTML, JSON, TEXT = "application/x-yaml", "text/html", "application/json", "text/plain"


def agent_info(call: Call) -> Answer:
    return agent.agent_info(call.caller)


def plugins(call: Call) -> Answer:
    return {"plugins": agent.plugins()}


def version(call: Call) -> Answer:
    return {"Version": agent.VERSION}


def health(call: Call) -> Answer:
    with_neighbours = Query(call.request.GET).number("include_luna_services", 0, 1, default=0)
    return agent.check_health(with_neighbours=bool(with_neighbours))


def config(call: Call) -> Answer:
    """Return the configuration to whoever may see the system."""
    if not may_see_system(call.caller.actor):
        raise ForbiddenError("The configuration is for those who administer an account.")
    wanted = _wanted(call, (JSON, TEXT), default=JSON)
    found = configuration()
    return found if wanted == JSON else _text(as_text(found), TEXT)


def openapi(call: Call) -> Answer:
    """Return the documentation of these addresses; the client has to say in which form."""
    wanted = _wanted(call, (YAML, HTML))
    base = call.base or "/"
    if wanted == YAML:
        return _text(specification.as_yaml(base), YAML)
    return _text(specification.as_html(base), HTML)


def development_manual(call: Call) -> Answer:
    """Lead to the manual's first page."""
    answer = HttpResponse(status=302)
    answer["Location"] = f"{call.base}/docs/dev/index.html"
    return answer


def manual_page(call: Call, name: str) -> Answer:
    return _text(manual.page(name), HTML)


def _wanted(call: Call, offered: tuple[str, ...], *, default: str = "") -> str:
    """Return the offered type that the client prefers. Without a default it has to name one."""
    accepted = call.request.headers.get("Accept", "")
    if not accepted or accepted.strip() == "*/*":
        if default:
            return default
        raise LunaError(NOT_ACCEPTABLE, f"Header 'Accept' has to be one of {', '.join(offered)}")
    found = call.request.get_preferred_type(list(offered))
    if found is None:
        raise LunaError(NOT_ACCEPTABLE, f"Accept is unacceptable, allowed types: {', '.join(offered)}")
    return found


def _text(text: str, content_type: str) -> HttpResponse:
    headers = {"Content-Type": f"{content_type}; charset=utf-8", "Cache-Control": "private, no-store"}
    return HttpResponse(text.encode(), headers=headers)
