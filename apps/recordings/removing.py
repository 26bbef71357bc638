"""A camera whose footage somebody holds is not removed: held is for ever, until it is released."""

from apps.accounts.access import Actor
from apps.cameras.models import Camera
from apps.core.exceptions import ConflictError
from apps.recordings.models import Recording


def refuse_held(camera: Camera, actor: Actor) -> None:
    """Refuse to remove a camera with held recordings; runs in the transaction that would remove it."""
    held = Recording.objects.filter(camera=camera, is_held=True).count()
    if held:
        what = "a held recording" if held == 1 else f"{held} held recordings"
        raise ConflictError(f"This camera has {what}. Release them first.", code="held_recordings")
