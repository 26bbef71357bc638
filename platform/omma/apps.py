from django.apps import AppConfig


class OmmaConfig(AppConfig):
    """The project itself. The first of ours, so that shared tasks find the Celery app."""

    name = "omma"
    label = "omma"

    def ready(self) -> None:
        from omma import celery  # noqa: F401 - not at the top: it needs the settings
