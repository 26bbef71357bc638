"""What grants can be about. Cameras and groups live above accounts: `apps.cameras` says whose they are."""

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

OwnerLookup = Callable[[Iterable[UUID]], Mapping[UUID, UUID]]

_lookups: dict[str, OwnerLookup] = {}


def register_scope_owner(scope_kind: str, lookup: OwnerLookup) -> None:
    """Say who knows the accounts of this kind of scope (`{scope id: account id}`), in `AppConfig.ready`."""
    _lookups[scope_kind] = lookup


def is_in_account(scope_kind: str, scope_id: UUID, account_id: UUID) -> bool:
    """Whether the camera or group exists in this account; a kind that nobody knows has none."""
    lookup = _lookups.get(scope_kind)
    return lookup is not None and lookup([scope_id]).get(scope_id) == account_id
