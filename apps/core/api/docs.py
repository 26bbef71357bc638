"""The schema and Swagger UI, from our own files, under the strict Content-Security-Policy."""

from django.contrib.auth.mixins import LoginRequiredMixin
from drf_spectacular.views import SpectacularSwaggerSplitView


class DocsView(LoginRequiredMixin, SpectacularSwaggerSplitView):
    """Swagger UI; its start script is an own address, so that the page has no inline script."""

    template_name = "api/docs.html"
