from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "apps.catalog"
    label = "catalog"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.api.representing import loader_for
        from apps.catalog import tasks  # noqa: F401 - registers what runs conversions and trainings
        from apps.catalog.models import Model
        from apps.core import periodic, representations

        models = Model.objects.prefetch_related("versions")
        serializer = "apps.catalog.api.serializers.ModelReadSerializer"
        periodic.register(
            "model-uploads",
            "Forget uploads that nobody went on with",
            "apps.catalog.cleaning.clean_up",
            "3600",
            "retention",
        )
        representations.register("model", loader_for(models.all, serializer, camera_path=None))
