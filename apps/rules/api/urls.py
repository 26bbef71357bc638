"""Addresses of rules below `/api/v1/`."""

from rest_framework.routers import SimpleRouter

from apps.rules.api.views import RuleFiringViewSet, RuleViewSet

router = SimpleRouter()
router.register("rules", RuleViewSet, "rule")
router.register("rule-firings", RuleFiringViewSet, "rule-firing")

urlpatterns = router.urls
