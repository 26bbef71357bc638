"""Addresses of recordings and retention below `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.recordings.api.exports import ExportViewSet
from apps.recordings.api.statistics import StatisticsView
from apps.recordings.api.timeline import TimelineView
from apps.recordings.api.videos import VideoViewSet
from apps.recordings.api.views import RecordingViewSet, RetentionPolicyViewSet

router = SimpleRouter()
router.register("recordings", RecordingViewSet, "recording")
router.register("exports", ExportViewSet, "export")
router.register("videos", VideoViewSet, "video")
router.register("retention-policies", RetentionPolicyViewSet, "retention-policy")

urlpatterns = [
    *router.urls,
    path("timeline/", TimelineView.as_view(), name="timeline"),
    path("statistics/", StatisticsView.as_view(), name="statistics"),
]
