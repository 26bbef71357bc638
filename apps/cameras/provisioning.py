"""What a new camera gets from the apps above: each registers a provisioner, in an order.

They run in the transaction that adds the camera: it exists with its source, stream, analytics and rule, or
not at all (ADR 2).
"""

from collections.abc import Callable

from apps.accounts.access import Actor
from apps.cameras.models import Camera

Provisioner = Callable[[Camera, Actor], None]

_provisioners: dict[str, tuple[int, Provisioner]] = {}  # filled once, while the apps get ready
_arming: set[str] = set()  # ditto
_removals: dict[str, tuple[int, Provisioner]] = {}  # ditto


def register(order: int, provisioner: Provisioner, *, is_arming: bool = False) -> None:
    """Add a provisioner, in `AppConfig.ready`; lower orders run first.

    One that arms a camera, with analytics or a rule, is left out where somebody says what shall run instead.
    """
    name = _name_of(provisioner)
    _provisioners[name] = (order, provisioner)
    if is_arming:
        _arming.add(name)


def register_removal(order: int, step: Provisioner) -> None:
    """Add what has to happen before a camera's rows go, in the same transaction; it may refuse by raising."""
    _removals[_name_of(step)] = (order, step)


def prepare_removal(camera: Camera, actor: Actor) -> None:
    """Run every step that comes before a removal."""
    for _order, step in sorted(_removals.values(), key=lambda entry: entry[0]):
        step(camera, actor)


def provision(camera: Camera, actor: Actor, *, is_armed: bool = True) -> None:
    """Run every provisioner on a new camera, or only those that do not arm it."""
    for name, (_order, provisioner) in sorted(_provisioners.items(), key=lambda entry: entry[1][0]):
        if is_armed or name not in _arming:
            provisioner(camera, actor)


def _name_of(provisioner: Provisioner) -> str:
    return f"{provisioner.__module__}.{provisioner.__qualname__}"
