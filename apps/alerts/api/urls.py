"""Addresses of notifications below `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.alerts.api.views import DeliveryViewSet, RuleTargetsView, TargetViewSet

router = SimpleRouter()
router.register("targets", TargetViewSet, "target")
router.register("deliveries", DeliveryViewSet, "delivery")

urlpatterns = [
    path(
        "rules/<uuid:pk>/targets/",
        RuleTargetsView.as_view({"get": "retrieve", "put": "update"}),
        name="rule-targets",
    ),
    *router.urls,
]
