from django.apps import AppConfig


class OmmaConfig(AppConfig):
    """The project itself, for its management commands."""

    name = "omma"
    label = "omma"
