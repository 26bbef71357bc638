"""The pages' way to `may`: the actor of a request, one camera or 404, and the account new things go to."""

from uuid import UUID

from django.http import Http404, HttpRequest

from apps.accounts.access import Action, Actor, Resource, actor_of, may, require, visible
from apps.accounts.models import Account
from apps.cameras.models import Camera


def camera_or_404(actor: Actor, camera_id: UUID, action: Action = Action.VIEW) -> Camera:
    """Return a camera that the actor may see, after checking the action on it."""
    camera = visible(actor, Action.VIEW, Camera.objects.all(), camera_path="id").filter(pk=camera_id).first()
    if camera is None:
        raise Http404
    require(actor, action, camera_resource(camera))
    return camera


def camera_resource(camera: Camera) -> Resource:
    """Return the resource that a camera is."""
    return Resource(account_id=camera.account_id, camera_ids=frozenset({camera.id}))


def accounts_with(actor: Actor, action: Action) -> list[Account]:
    """Return the accounts in which the actor may do this, by name."""
    accounts = Account.objects.filter(is_active=True).order_by("name", "id")
    return [account for account in accounts if may(actor, action, Resource(account_id=account.id)).allowed]


def may_anywhere(actor: Actor, action: Action) -> bool:
    """Return whether there is any account in which the actor may do this."""
    return bool(accounts_with(actor, action))


__all__ = ["HttpRequest", "accounts_with", "actor_of", "camera_or_404", "camera_resource", "may_anywhere"]
