"""Settings for a checkout: the defaults."""

from omma.settings.base import *  # noqa: F403
