"""Sockets of this app."""

from django.urls import path

from apps.streams.live.consumer import LiveConsumer

websocket_urlpatterns = [path("ws/v1/live/<uuid:stream_id>", LiveConsumer.as_asgi())]
