"""Addresses of cameras below `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from apps.cameras.api.views import CameraGroupViewSet, CameraViewSet

router = SimpleRouter()
router.register("cameras", CameraViewSet, "camera")
router.register("camera-groups", CameraGroupViewSet, "camera-group")

urlpatterns = router.urls
