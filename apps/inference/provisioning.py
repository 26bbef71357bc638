"""What a new camera is armed with: motion and people on its main stream."""

from apps.accounts.access import Actor
from apps.cameras.models import Camera
from apps.catalog.services import builtin_version
from apps.inference.services import NewAnalytic, create_analytic
from apps.streams.models import Stream

ORDER = 20  # after the streams, before the default rule
DEFAULTS = ("motion", "people")


def arm_camera(camera: Camera, actor: Actor) -> None:
    """Attach the default analytics; a camera without a main stream gets none."""
    stream = Stream.objects.filter(camera=camera, name="main").first()
    if stream is None:
        return
    for slug in DEFAULTS:
        create_analytic(actor=actor, wanted=NewAnalytic(stream=stream, model_version=builtin_version(slug)))
