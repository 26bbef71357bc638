"""The tables that dialects keep for themselves."""

from apps.dialects.spectrax.models import SpectraxClip

__all__ = ["SpectraxClip"]
