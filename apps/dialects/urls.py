"""The dialects at the root, and below `/compat/<dialect>/<account or token>/`."""

from django.urls import URLPattern, URLResolver, include, path

from apps.dialects.spectrax.urls import ADDRESSES, COMPAT_ADDRESSES

urlpatterns: list[URLPattern | URLResolver] = [
    path("compat/spectrax/<str:key>/", include(COMPAT_ADDRESSES)),
    *ADDRESSES,
]
