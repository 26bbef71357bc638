"""Django's admin for operators, with the one login that Omma has (throttled, with one page)."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse


class OmmaAdminSite(AdminSite):
    site_header = "Omma"
    site_title = "Omma"
    index_title = "Administration"
    site_url = "/app/"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the login page; who is logged in and still here lacks the right."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied("The administration is for staff.")
        wanted = request.GET.get("next") or reverse("admin:index", current_app=self.name)
        return HttpResponseRedirect(f"{settings.LOGIN_URL}?{urlencode({'next': wanted}, safe='/')}")
