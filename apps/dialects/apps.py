from django.apps import AppConfig


class DialectsConfig(AppConfig):
    name = "apps.dialects"
    label = "dialects"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.alerts import messages
        from apps.cameras import provisioning
        from apps.core import outbox, periodic
        from apps.dialects import checks as checks
        from apps.dialects.luna import kept_files, notices
        from apps.dialects.spectrax import clips

        messages.register_format(notices.FORMAT, notices.write)
        provisioning.register_removal(20, kept_files.forget_with)
        outbox.subscribe("spectrax.clips", ["recording.created", "recording.updated"], clips.take_news)
        periodic.register(
            "spectrax-clips",
            "Describe recordings for SpectraX clients",
            "apps.dialects.spectrax.clips.catch_up",
            "300",
        )
