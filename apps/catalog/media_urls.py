"""Addresses of files below `/media/v1/`."""

from django.urls import path

from apps.catalog.media_views import conversion_file

urlpatterns = [path("conversions/<uuid:conversion_id>", conversion_file, name="media-conversion")]
