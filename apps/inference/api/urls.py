"""Addresses of analytics and what they found, below `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from apps.inference.api.analyses import AnalysisViewSet
from apps.inference.api.views import AnalyticViewSet, EventViewSet, MinuteViewSet, TrackViewSet

router = SimpleRouter()
router.register("analytics", AnalyticViewSet, "analytic")
router.register("tracks", TrackViewSet, "track")
router.register("events", EventViewSet, "event")
router.register("minutes", MinuteViewSet, "minute")
router.register("analyses", AnalysisViewSet, "analysis")

urlpatterns = router.urls
