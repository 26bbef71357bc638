"""The rule that a new camera comes with: people and motion start a recording."""

from apps.accounts.access import Actor
from apps.cameras.models import Camera
from apps.rules.models import Rule
from apps.rules.services import create_rule

ORDER = 30  # after the analytics that see what it is about
NAME = "People and motion"
LABELS = ["motion", "person"]


def cover_camera(camera: Camera, actor: Actor) -> None:
    """Make sure that a rule is about a new camera.

    The account's first camera brings a rule about all cameras. Where people have made that one about certain
    cameras since, or deleted it while others are left, the new camera gets a rule of its own.
    """
    rules = Rule.objects.filter(account_id=camera.account_id)
    if rules.filter(all_cameras=True).exists():
        return
    where = {"cameras": [camera]} if rules.exists() else {"all_cameras": True}
    create_rule(actor=actor, account=camera.account, name=NAME, labels=LABELS, **where)
