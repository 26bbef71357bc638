from django.apps import AppConfig


class DialectsConfig(AppConfig):
    name = "apps.dialects"
    label = "dialects"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.core import outbox, periodic
        from apps.dialects import checks as checks
        from apps.dialects.spectrax import clips

        outbox.subscribe("spectrax.clips", ["recording.created", "recording.updated"], clips.take_news)
        periodic.register(
            "spectrax-clips",
            "Describe recordings for SpectraX clients",
            "apps.dialects.spectrax.clips.catch_up",
            "300",
        )
