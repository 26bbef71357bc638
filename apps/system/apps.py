from django.apps import AppConfig


class SystemConfig(AppConfig):
    name = "apps.system"
    label = "system"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.api.representing import loader_for
        from apps.core import representations
        from apps.core.models import Task

        serializer = "apps.system.api.serializers.TaskReadSerializer"
        representations.register("task", loader_for(Task.objects.all, serializer))
