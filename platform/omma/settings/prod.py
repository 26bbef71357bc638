"""Settings behind a TLS proxy, which `OMMA_TRUSTED_PROXIES` has to name: cookies over https only."""

from omma.settings.base import *  # noqa: F403

SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
