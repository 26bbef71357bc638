"""The schema and its pages, below `/api/`."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView

from apps.core.api.docs import DocsView

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(url_name="schema"), name="docs"),
]
