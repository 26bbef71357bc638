"""The tables that dialects keep for themselves."""

from apps.dialects.luna.models import LunaStream
from apps.dialects.spectrax.models import SpectraxClip

__all__ = ["LunaStream", "SpectraxClip"]
