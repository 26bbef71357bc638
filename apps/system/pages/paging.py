"""Links from page to page that keep the filters."""

from django.http import HttpRequest


def page_query(request: HttpRequest) -> str:
    """Return the query without `page`, ready to put `page=` behind it."""
    query = request.GET.copy()
    query.pop("page", None)
    text = query.urlencode()
    return f"{text}&" if text else ""
