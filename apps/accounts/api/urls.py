"""Addresses of accounts below `/api/v1/`."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from apps.accounts.api.views import AccountViewSet, MemberViewSet, MeView, OwnPasswordView, TokenViewSet

router = SimpleRouter()
router.register("accounts", AccountViewSet, "account")
router.register("members", MemberViewSet, "member")
router.register("tokens", TokenViewSet, "token")

urlpatterns = [
    *router.urls,
    path("me/", MeView.as_view(), name="me"),
    path("me/password/", OwnPasswordView.as_view(), name="me-password"),
]
