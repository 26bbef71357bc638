"""Every address of Omma, by app. What the dialects own is theirs alone; a test walks this map."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from omma.discovery import app_modules

api = [path("", include(module)) for module in app_modules("api.urls")]
media = [path("", include(module)) for module in app_modules("media_urls")]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/app/"), name="root"),
    path("app/", include("apps.system.pages.urls")),
    path("accounts/", include("apps.accounts.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("api/", include("apps.core.docs_urls")),
    path("media/v1/", include(media)),
    path("", include("apps.dialects.urls")),
]
handler400 = "apps.core.error_views.bad_request"
handler403 = "apps.core.error_views.permission_denied"
handler404 = "apps.core.error_views.page_not_found"
handler500 = "apps.core.error_views.server_error"
