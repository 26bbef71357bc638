"""Addresses below `/media/v1/` that play what was recorded."""

from django.urls import path

from apps.recordings import media_views, strip_views
from apps.recordings.exports.media import export_file, timelapse_file

urlpatterns = [
    path("exports/<uuid:export_id>.zip", export_file, name="media-export"),
    path("exports/<uuid:export_id>.mp4", timelapse_file, name="media-timelapse"),
    path("recordings/<uuid:recording_id>.mp4", media_views.recording_video, name="media-recording"),
    path(
        "recordings/<uuid:recording_id>/thumbnail.jpg",
        media_views.recording_thumbnail,
        name="media-thumbnail",
    ),
    path("streams/<uuid:stream_id>/video.mp4", media_views.stream_video, name="media-stream-video"),
    path("streams/<uuid:stream_id>/playlist.m3u8", media_views.stream_playlist, name="media-stream-playlist"),
    path("streams/<uuid:stream_id>/strips/<str:hour>.json", strip_views.strip_index, name="media-strip"),
    path("streams/<uuid:stream_id>/strips/<str:hour>.vtt", strip_views.strip_cues, name="media-strip-cues"),
    path(
        "streams/<uuid:stream_id>/strips/<str:hour>.jpg", strip_views.strip_sprite, name="media-strip-sprite"
    ),
    path("segments/<uuid:segment_id>.mp4", media_views.segment_file, name="media-segment"),
]
