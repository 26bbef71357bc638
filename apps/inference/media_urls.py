"""Addresses of pictures below `/media/v1/`."""

from django.urls import path

from apps.inference.media_views import event_snapshot, track_crop

urlpatterns = [
    path("tracks/<uuid:track_id>/crop.jpg", track_crop, name="track-crop"),
    path("events/<uuid:event_id>/snapshot.jpg", event_snapshot, name="event-snapshot"),
]
