"""Addresses of models below `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from apps.catalog.api.views import ModelViewSet

router = SimpleRouter()
router.register("models", ModelViewSet, "model")

urlpatterns = router.urls
