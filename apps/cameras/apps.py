from django.apps import AppConfig


class CamerasConfig(AppConfig):
    name = "apps.cameras"
    label = "cameras"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from apps.accounts.access import register_group_resolver
        from apps.accounts.api.representing import loader_for
        from apps.accounts.models import GrantScope
        from apps.accounts.scopes import register_scope_owner
        from apps.cameras.groups import cameras_of_groups, owners_of_cameras, owners_of_groups
        from apps.cameras.models import Camera
        from apps.core import representations

        register_group_resolver(cameras_of_groups)
        register_scope_owner(GrantScope.CAMERA, owners_of_cameras)
        register_scope_owner(GrantScope.GROUP, owners_of_groups)
        cameras = Camera.objects.prefetch_related("sensors")
        serializer = "apps.cameras.api.serializers.CameraReadSerializer"
        representations.register("camera", loader_for(cameras.all, serializer, camera_path="id"))
