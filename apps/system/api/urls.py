"""Addresses of the system below `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.system.api.status import HealthView, RootView, StatusView, VersionView
from apps.system.api.views import AuditEntryViewSet, JobViewSet, TaskViewSet

router = SimpleRouter()
router.register("tasks", TaskViewSet, "task")
router.register("system/jobs", JobViewSet, "job")
router.register("system/audit", AuditEntryViewSet, "audit-entry")

urlpatterns = [
    *router.urls,
    path("", RootView.as_view(), name="api-root"),
    path("system/health/", HealthView.as_view(), name="system-health"),
    path("system/version/", VersionView.as_view(), name="system-version"),
    path("system/status/", StatusView.as_view(), name="system-status"),
]
