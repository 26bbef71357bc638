from django.apps import AppConfig


class CamerasConfig(AppConfig):
    name = "apps.cameras"
    label = "cameras"
    default_auto_field = "django.db.models.BigAutoField"
