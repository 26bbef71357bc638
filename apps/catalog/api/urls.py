"""Addresses of models below `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from apps.catalog.api.views import ModelVersionViewSet, ModelViewSet
from apps.catalog.api.work_views import ConversionViewSet, TrainingViewSet, UploadViewSet

router = SimpleRouter()
router.register("models", ModelViewSet, "model")
router.register("model-versions", ModelVersionViewSet, "model-version")
router.register("model-uploads", UploadViewSet, "model-upload")
router.register("model-conversions", ConversionViewSet, "model-conversion")
router.register("trainings", TrainingViewSet, "training")

urlpatterns = router.urls
