"""The dialects below `/compat/<dialect>/<account or token>/`, and those at the root that a setting names."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from apps.dialects.luna import urls as luna
from apps.dialects.spectrax import urls as spectrax

AT_ROOT = {"spectrax": spectrax.ADDRESSES, "luna": luna.ADDRESSES}

urlpatterns: list[URLPattern | URLResolver] = [
    path("compat/luna/<str:key>/", include(luna.COMPAT_ADDRESSES)),
    path("compat/spectrax/<str:key>/", include(spectrax.COMPAT_ADDRESSES)),
    *(entry for name in settings.OMMA_ROOT_DIALECTS for entry in AT_ROOT.get(name, [])),
]
