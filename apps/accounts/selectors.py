"""Reads about accounts that others need."""

from uuid import UUID

from apps.accounts.access import Action, Actor, Resource, may
from apps.accounts.models import Account, Member
from apps.core.exceptions import ForbiddenError, InvalidInputError


def accounts_of(actor: Actor) -> list[Account]:
    """Return the actor's accounts, oldest first; a superuser has all of them."""
    accounts = Account.objects.order_by("created_at", "id")
    if not actor.is_superuser:
        accounts = accounts.filter(pk__in=[one.account_id for one in actor.memberships])
    return list(accounts)


def account_for_writing(actor: Actor, action: Action, wanted: UUID | None = None) -> Account:
    """Return the account that something new goes to: the wanted one, or the only one it can be.

    Raise `InvalidInputError` on `account` for one that is not the actor's, or when there are several and none
    is named; raise `ForbiddenError` when there is none in which the actor may do this.
    """
    accounts = accounts_of(actor)
    if wanted is not None:
        accounts = [account for account in accounts if account.pk == wanted]
        if not accounts:
            raise InvalidInputError("There is no such account.", field="account")
    allowed = [account for account in accounts if may(actor, action, Resource(account.pk))]
    if not allowed:
        raise ForbiddenError("You may not do this in any of your accounts.")
    own = [account for account in allowed if actor.membership_in(account.pk)]
    candidates = own or allowed
    if len(candidates) > 1:
        raise InvalidInputError("You have several accounts; say which.", field="account")
    return candidates[0]


def membership_for_writing(actor: Actor, account_id: UUID | None = None) -> Member:
    """Return the actor's membership that something personal goes to: in the account named, or the only one.

    Raise `InvalidInputError` on `account` when that leaves none or several.
    """
    own = Member.objects.filter(pk__in=[one.member_id for one in actor.memberships]).select_related("user")
    found = list(own.filter(account_id=account_id) if account_id else own)
    if not found:
        raise InvalidInputError("You are not a member of such an account.", field="account")
    if len(found) > 1:
        raise InvalidInputError("You have several accounts; say which.", field="account")
    return found[0]
