"""Addresses of streams below `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from apps.streams.api.views import (
    GapViewSet,
    SegmentViewSet,
    SourceViewSet,
    StreamLogViewSet,
    StreamViewSet,
)
from apps.streams.api.volumes import VolumeViewSet

router = SimpleRouter()
router.register("streams", StreamViewSet, "stream")
router.register("sources", SourceViewSet, "source")
router.register("segments", SegmentViewSet, "segment")
router.register("stream-log", StreamLogViewSet, "stream-log")
router.register("gaps", GapViewSet, "gap")
router.register("volumes", VolumeViewSet, "volume")

urlpatterns = router.urls
