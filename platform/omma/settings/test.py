"""Settings for the tests: the same servers, cheap password hashes and unhashed static files."""

from omma.settings.base import *  # noqa: F403
from omma.settings.base import STORAGES as _STORAGES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECRET_KEY = "only-for-tests"  # noqa: S105 - guards nothing
STORAGES = {
    **_STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
