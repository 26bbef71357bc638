"""What a new camera gets from the apps above: each registers a provisioner, in an order.

They run in the transaction that adds the camera: it exists with its source, stream, analytics and rule, or
not at all (ADR 2).
"""

from collections.abc import Callable

from apps.accounts.access import Actor
from apps.cameras.models import Camera

Provisioner = Callable[[Camera, Actor], None]

_provisioners: dict[str, tuple[int, Provisioner]] = {}  # filled once, while the apps get ready
_removals: dict[str, tuple[int, Provisioner]] = {}  # ditto


def register(order: int, provisioner: Provisioner) -> None:
    """Add a provisioner, in `AppConfig.ready`; lower orders run first."""
    _provisioners[f"{provisioner.__module__}.{provisioner.__qualname__}"] = (order, provisioner)


def register_removal(order: int, step: Provisioner) -> None:
    """Add what has to happen before a camera's rows go, in the same transaction; it may refuse by raising."""
    _removals[f"{step.__module__}.{step.__qualname__}"] = (order, step)


def prepare_removal(camera: Camera, actor: Actor) -> None:
    """Run every step that comes before a removal."""
    for _order, step in sorted(_removals.values(), key=lambda entry: entry[0]):
        step(camera, actor)


def provision(camera: Camera, actor: Actor) -> None:
    """Run every provisioner on a new camera."""
    for _order, provisioner in sorted(_provisioners.values(), key=lambda entry: entry[0]):
        provisioner(camera, actor)
