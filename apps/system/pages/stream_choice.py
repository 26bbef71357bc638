"""The streams that a form names, as far as the actor may play them back."""

from uuid import UUID

from django.http import Http404, HttpRequest

from apps.accounts.access import Action, Actor, visible
from apps.streams.models import Stream

_MOST = 64


def chosen_streams(request: HttpRequest, actor: Actor) -> list[Stream]:
    """Return the streams posted as `streams`, in that order; one that may not be played is a 404."""
    ids = list(dict.fromkeys(_ids(request.POST.getlist("streams")[:_MOST])))
    rows = visible(actor, Action.PLAYBACK, Stream.objects.select_related("account", "camera"))
    found = {row.pk: row for row in rows.filter(pk__in=ids)}
    if len(found) < len(ids):
        raise Http404
    return [found[one] for one in ids]


def _ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Http404 from None
