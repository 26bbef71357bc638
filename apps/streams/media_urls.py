"""Addresses below `/media/v1/` that show a stream as it is now."""

from django.urls import path

from apps.streams.live import media_views

urlpatterns = [
    path("streams/<uuid:stream_id>/mjpeg", media_views.mjpeg, name="media-stream-mjpeg"),
    path("streams/<uuid:stream_id>/still.jpg", media_views.still, name="media-stream-still"),
]
