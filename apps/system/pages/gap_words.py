"""Why a stretch of time is not recorded, in words."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from omma_engine.types import GapCause

_WORDS = {
    GapCause.CAMERA: gettext_lazy("the camera was away"),
    GapCause.NETWORK: gettext_lazy("the network failed"),
    GapCause.DECODER: gettext_lazy("the picture could not be read"),
    GapCause.DISK: gettext_lazy("the disk failed"),
    GapCause.OVERLOAD: gettext_lazy("there was too much to do"),
    GapCause.WORKER: gettext_lazy("the recorder was away"),
    GapCause.PLANNED: gettext_lazy("planned by somebody"),
    GapCause.POLICY: gettext_lazy("recording is off"),
    GapCause.EXPIRED: gettext_lazy("deleted by retention"),
}


def cause_words(cause: str) -> str:
    """Return a cause as people say it; one that is not known stands for itself."""
    return str(_WORDS[GapCause(cause)]) if cause in set(GapCause) else cause or _("unknown")
