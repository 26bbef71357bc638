from django.apps import AppConfig
from django.conf import settings


class OmmaConfig(AppConfig):
    """The project itself. The first of ours, so that shared tasks find the Celery app."""

    name = "omma"
    label = "omma"

    def ready(self) -> None:
        if settings.OMMA_HAS_TASKS:
            from omma import celery  # noqa: F401 - not at the top: it needs the settings
