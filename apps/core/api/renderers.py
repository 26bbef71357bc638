"""The browsable API under the strict Content-Security-Policy."""

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer


class PageRenderer(BrowsableAPIRenderer):
    """The framework's pages, whose templates place a few buttons by style attributes.

    Those attributes, and nothing else, are allowed here: they hold no data. Highlighting wants a whole inline
    style sheet, and is left out.
    """

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        context = dict(renderer_context or {})
        if "response" in context:
            context["response"]._csp_update = {"style-src-attr": ["'unsafe-inline'"]}
        return super().render(data, accepted_media_type, context)

    def get_context(self, data: Any, accepted_media_type: str | None, renderer_context: Any) -> Any:
        context = super().get_context(data, accepted_media_type or "", renderer_context)
        return {**context, "code_style": None}
